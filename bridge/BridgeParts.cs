using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Login;
using Trestle.Runtime;

namespace Trestle.Bridge;

/// <summary>What all sessions have in common.</summary>
internal sealed record BridgeParts(IKubeApi Api, ILoginNodes Nodes, string Namespace, TimeProvider Time, ILogger Log)
{
    /// <summary>All jobs, with the index <see cref="BridgeTerm.ClusterIndex"/>.</summary>
    public IObjectCache<SlurmJob> Jobs { get; init; } = new ObjectStore<SlurmJob>();

    /// <summary>Named points at which tests end the process.</summary>
    public FailPoints Fail { get; init; } = new();

    /// <summary>Something new is known of a job.</summary>
    public Action<ObjectKey> JobChanged { get; init; } = _ => { };

    /// <summary>Something new is known of a cluster.</summary>
    public Action<string> ClusterChanged { get; init; } = _ => { };
}
