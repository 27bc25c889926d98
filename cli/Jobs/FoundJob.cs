using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Jobs;

/// <summary>A job or a group, whichever the name meant.</summary>
internal sealed record FoundJob(IKubernetesObject<V1ObjectMeta> Object)
{
    public string Name => Object.Metadata.Name;

    /// <summary>"job NAME" or "group NAME", for sentences.</summary>
    public string Label => Object is JobGroup ? $"group {Name}" : $"job {Name}";

    public string Phase => Object switch
    {
        TrainingJob job => job.Phase(),
        JobGroup group => group.Phase(),
        _ => "",
    };

    public bool HasEnded => Object switch
    {
        TrainingJob job => job.HasEnded(),
        JobGroup group => group.HasEnded(),
        _ => false,
    };

    /// <summary>Why it waits, or how it ended.</summary>
    public string Message => Object switch
    {
        TrainingJob job => job.Why(),
        JobGroup group => group.Why(),
        _ => "",
    };

    /// <summary>What a command that waited for it ends with: 0 for Succeeded, the failed rank's code, else 1.</summary>
    public int ExitCode => Phase == "Succeeded" ? 0 : Object is TrainingJob { Status.Exit.Code: > 0 and < 256 and var code } ? (int)code : 1;

    public static FoundJob Of(IKubernetesObject<V1ObjectMeta> job) => new(job);
}
