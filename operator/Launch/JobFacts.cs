using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Launch;

/// <summary>What launching asks of a job.</summary>
public static class JobFacts
{
    extension(TrainingJob job)
    {
        /// <summary>Ranks that it asks for.</summary>
        public int NodeCount => job.Spec.Nodes ?? 1;

        /// <summary>Ranks of the attempt that has nodes: fewer than <c>NodeCount</c> for an elastic job that re-formed.</summary>
        public int AttemptSize => job.Status?.Admission?.Size ?? job.NodeCount;

        /// <summary>How long a rank may show no sign of life; null when nobody watches.</summary>
        public TimeSpan? HangTimeout => job.Spec.Recovery?.HangTimeout is { } text && Duration.TryParse(text, out var timeout) && timeout > TimeSpan.Zero ? timeout : null;

        /// <summary>Accelerators of one node; null for none.</summary>
        public Accelerators? Accelerators => job.Spec.Resources?.Accelerators is { } text ? Api.V1Alpha1.Accelerators.Parse(text) : null;

        /// <summary>The group it is a task of; null for a job by itself, also when it was launched from inside a group.</summary>
        public string? TaskGroup => job.TaskName is null ? null : job.ControllerOwner()?.Name;

        /// <summary>The task it is, of the group that controls it.</summary>
        public string? TaskName => job.ControllerOwner()?.Kind == JobGroup.KubeKind ? job.Label(Labels.Task) : null;

        /// <summary>Tasks of its group that are services. Whoever may write the job may say what he likes: what can't be a name is left out.</summary>
        public IReadOnlyList<string> ServiceTasks => job.TaskGroup is null || job.Annotation(Annotations.Services) is not { } names ? []
            : [.. names.Split(',').Where(name => name.Length is > 0 and < 64 && name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-')).Distinct()];

        /// <summary>Host name of a rank; with the service's name behind it, what its peers call it.</summary>
        public string HostName(int rank) => $"{job.TaskName ?? job.Metadata.Name}-{rank}";

        /// <summary>Name of the headless Service of its hosts.</summary>
        public string ServiceName => job.TaskGroup ?? job.Metadata.Name;

        /// <summary>Where its first cached mount is: checkpoints go there.</summary>
        public string? CheckpointDirectory => job.Spec.Mounts?.FirstOrDefault(mount => mount.Mode == MountMode.MountCached)?.Path;
    }
}
