using k8s;
using k8s.Models;

namespace Trestle.Cli.Launching;

/// <summary>One object to create.</summary>
/// <param name="Object">With namespace and name set.</param>
/// <param name="OnlyIfMissing">A storage that exists already is used as it is.</param>
/// <param name="OwnedBy">Name of the job or service that this object belongs to and is deleted with; null when it stays.</param>
internal sealed record LaunchOperation(IKubernetesObject<V1ObjectMeta> Object, bool OnlyIfMissing = false, string? OwnedBy = null)
{
    public string Name => Object.Metadata.Name;

    /// <summary>It is what the user launches, not what that needs.</summary>
    public bool IsLaunched => Object is Api.V1Alpha1.TrainingJob or Api.V1Alpha1.JobGroup or Api.V1Alpha1.InferenceService;
}

/// <summary>What a launch creates, in order: what jobs and services need first.</summary>
internal sealed record LaunchPlan(IReadOnlyList<LaunchOperation> Operations)
{
    /// <summary>Jobs, groups and services.</summary>
    public IEnumerable<LaunchOperation> Launched => Operations.Where(operation => operation.IsLaunched);
}
