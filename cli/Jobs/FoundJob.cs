using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Jobs;

/// <summary>A job, a group or a service, whichever the name meant.</summary>
internal sealed record FoundJob(IKubernetesObject<V1ObjectMeta> Object)
{
    public string Name => Object.Metadata.Name;

    /// <summary>"job NAME", "group NAME" or "service NAME", for sentences.</summary>
    public string Label => Object switch
    {
        JobGroup => $"group {Name}",
        InferenceService => $"service {Name}",
        _ => $"job {Name}",
    };

    public string Phase => Object switch
    {
        TrainingJob job => job.Phase(),
        JobGroup group => group.Phase(),
        InferenceService service => service.Phase(),
        _ => "",
    };

    public bool HasEnded => Object switch
    {
        TrainingJob job => job.HasEnded(),
        JobGroup group => group.HasEnded(),
        _ => false,
    };

    /// <summary>Waiting longer changes nothing: it has ended; a service serves as its spec says, or never will.</summary>
    public bool IsSettled => Object is InferenceService service ? service.IsSettled() : HasEnded;

    /// <summary>Why it waits, or how it ended.</summary>
    public string Message => Object switch
    {
        TrainingJob job => job.Why(),
        JobGroup group => group.Why(),
        InferenceService service => service.Status?.Message ?? "",
        _ => "",
    };

    /// <summary>What a command that waited for it ends with: 0 for Succeeded or Available, the failed rank's code, else 1.</summary>
    public int ExitCode => Phase is "Succeeded" or "Available" ? 0 : Object is TrainingJob { Status.Exit.Code: > 0 and < 256 and var code } ? (int)code : 1;

    public static FoundJob Of(IKubernetesObject<V1ObjectMeta> job) => new(job);
}
