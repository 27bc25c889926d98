using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Rbac;

/// <summary>What the operator may do.</summary>
internal static class OperatorRights
{
    /// <summary>Its rules.</summary>
    public static RbacRules Rules { get; } = new(typeof(TrainingJob).Assembly, typeof(OperatorRights).Assembly);
}
