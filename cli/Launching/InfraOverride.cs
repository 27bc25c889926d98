using k8s;
using k8s.Models;
using Trestle.Api.Manifests;
using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Launching;

/// <summary>One --infra: where a job runs, or one task of a group, whatever the file says.</summary>
/// <param name="Task">The task; null for a job by itself.</param>
/// <param name="Place">The place.</param>
internal sealed record InfraOverride(string? Task, Placement Place)
{
    /// <summary>Reads [TASK=]PLACE.</summary>
    public static InfraOverride Read(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return PlacementText.TryRead(text[(equals + 1)..], out var place) && place is not null && equals != 0
            ? new InfraOverride(equals < 0 ? null : text[..equals], place)
            : throw CliException.Usage($"--infra {text} is no place; write {PlacementText.Forms}, with TASK= before it for one task of a group");
    }

    /// <summary>Puts the places, in the order of the command line, into the specs that they are for.</summary>
    public static void Apply(IKubernetesObject<V1ObjectMeta> job, IReadOnlyList<InfraOverride> overrides)
    {
        foreach (var one in overrides.GroupBy(one => one.Task))
        {
            SpecOf(job, one.Key, one.First()).Placement = [.. one.Select(other => other.Place)];
        }
    }

    private static TrainingJobSpec SpecOf(IKubernetesObject<V1ObjectMeta> job, string? task, InfraOverride given) => (job, task) switch
    {
        (TrainingJob single, null) => single.Spec,
        (JobGroup group, { } name) => group.Spec.Tasks.FirstOrDefault(other => other.Name == name)?.Job
            ?? throw CliException.Usage($"--infra {name}=…: group {group.Metadata.Name} has no such task; its tasks are {string.Join(", ", group.Spec.Tasks.Select(other => other.Name))}"),
        (JobGroup group, null) => throw CliException.Usage($"--infra would move every task of the group {group.Metadata.Name}; name one, e.g. --infra {group.Spec.Tasks[0].Name}={Text(given.Place)}"),
        _ => throw CliException.Usage($"--infra {task}=…: {job.Metadata.Name} is not a group; leave '{task}=' out"),
    };

    private static string Text(Placement place) => place.Slurm is { } slurm ? $"slurm/{slurm.Cluster}" : "k8s";
}
