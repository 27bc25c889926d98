using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.JobGroups;

/// <summary>One task of a group, with what is known of its job.</summary>
/// <param name="Task">The task.</param>
/// <param name="Role">What it means for the group.</param>
/// <param name="Job">Its job; null when it is not there.</param>
/// <param name="Before">What the status said last; null when it said nothing.</param>
internal sealed record GroupMember(JobGroupTask Task, TaskRole Role, TrainingJob? Job, JobGroupTaskStatus? Before)
{
    /// <summary>What its job is doing; null when there never was one. A job that is gone keeps its end, or was cancelled by being deleted.</summary>
    public TrainingJobPhase? Phase =>
        Job is not null ? Job.Status?.Phase ?? TrainingJobPhase.Pending
        : Before?.Phase is not { } last ? null
        : last is nameof(TrainingJobPhase.Succeeded) or nameof(TrainingJobPhase.Failed) ? Enum.Parse<TrainingJobPhase>(last)
        : TrainingJobPhase.Cancelled;

    public bool HasEnded => Phase is TrainingJobPhase.Succeeded or TrainingJobPhase.Failed or TrainingJobPhase.Cancelled;

    public bool HasStarted => HasEnded || Job?.Status?.Timeline?.StartedAt is not null;

    /// <summary>Why it is doing that, as a sentence.</summary>
    public string Message => Job is not null ? Job.Status?.Message ?? "not seen yet" : Before?.Message is { } told && HasEndedBefore ? told : Before?.Phase is null ? "not created yet" : "its job was deleted";

    private bool HasEndedBefore => Before?.Phase is nameof(TrainingJobPhase.Succeeded) or nameof(TrainingJobPhase.Failed) or nameof(TrainingJobPhase.Cancelled);

    /// <summary>The members of a group. Without a Primary all are.</summary>
    public static IReadOnlyList<GroupMember> Of(JobGroup group, IReadOnlyList<TrainingJob> jobs)
    {
        var tasks = group.Spec.Tasks;
        var hasPrimary = tasks.Exists(task => task.Role == TaskRole.Primary);
        return
        [
            .. tasks.Select(task => new GroupMember(
                task,
                !hasPrimary ? TaskRole.Primary : task.Role ?? TaskRole.Auxiliary,
                jobs.FirstOrDefault(job => job.IsControlledBy(group) && job.Metadata.Name == Names.TaskObject(group.Metadata.Name, task.Name)),
                group.Status?.Tasks?.Find(known => known.Name == task.Name))),
        ];
    }

    /// <summary>A job still runs or waits, and nobody has told it to end.</summary>
    public static bool Goes(TrainingJob job) => job.Status?.HasEnded() != true && !job.IsCancelled() && !job.IsDeleting();

    /// <summary>As the status tells it.</summary>
    public JobGroupTaskStatus ToStatus() => new()
    {
        Name = Task.Name,
        Role = Role,
        Kind = TrainingJob.KubeKind,
        Ref = Job?.Metadata.Name ?? Before?.Ref,
        Phase = Phase?.ToString(),
        Restarts = Job?.Status?.Restarts is { } restarts
            ? (restarts.Counted ?? 0) + (restarts.Infrastructure ?? 0) + (restarts.Preempted ?? 0) + (restarts.Recovered ?? 0)
            : Before?.Restarts,
        Message = Message,
    };
}
