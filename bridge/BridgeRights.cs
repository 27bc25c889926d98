using Trestle.Api.Schema;

namespace Trestle.Bridge;

/// <summary>What the bridge may do.</summary>
internal static class BridgeRights
{
    /// <summary>Its rules.</summary>
    public static RbacRules Rules { get; } = new(typeof(BridgeRights).Assembly);
}
