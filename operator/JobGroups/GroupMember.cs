using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.JobGroups;

/// <summary>One task of a group, with what is known of its job or its service.</summary>
/// <param name="Task">The task.</param>
/// <param name="Role">What it means for the group.</param>
/// <param name="Job">Its job; null when it is not there.</param>
/// <param name="Before">What the status said last; null when it said nothing.</param>
internal sealed record GroupMember(JobGroupTask Task, TaskRole Role, TrainingJob? Job, JobGroupTaskStatus? Before)
{
    private const string Ended = "Ended";

    /// <summary>Its service; null when it is not there.</summary>
    public InferenceService? Service { get; init; }

    /// <summary>It is a service, which never ends by itself.</summary>
    public bool IsService => Task.Service is not null;

    /// <summary>What it is doing, in the words of jobs; null when there never was one. A job that is gone keeps its end, or was cancelled by being deleted, as a service was.</summary>
    public TrainingJobPhase? Phase =>
        Service is not null ? PhaseOf(Service.Status?.Phase)
        : Job is not null ? Job.Status?.Phase ?? TrainingJobPhase.Pending
        : Before?.Phase is not { } last ? null
        : !IsService && last is nameof(TrainingJobPhase.Succeeded) or nameof(TrainingJobPhase.Failed) ? Enum.Parse<TrainingJobPhase>(last)
        : TrainingJobPhase.Cancelled;

    public bool HasEnded => IsService ? Service is null && Before?.Phase is not null : Phase is TrainingJobPhase.Succeeded or TrainingJobPhase.Failed or TrainingJobPhase.Cancelled;

    public bool HasStarted => HasEnded || (IsService ? Service?.Status?.Conditions?.Exists(condition => condition.Type == "Available") == true : Job?.Status?.Timeline?.StartedAt is not null);

    /// <summary>It has been given nodes.</summary>
    public bool IsAdmitted => HasEnded || (IsService ? HasStarted : Job?.Status?.HasAttempt() == true);

    /// <summary>Why it is doing that, as a sentence.</summary>
    public string Message =>
        Service is not null ? Service.Status?.Message ?? "not seen yet"
        : Job is not null ? Job.Status?.Message ?? "not seen yet"
        : Before?.Message is { } told && HasEndedBefore ? told
        : Before?.Phase is null ? "not created yet"
        : IsService ? "its service was ended" : "its job was deleted";

    private bool HasEndedBefore => Before?.Phase is nameof(TrainingJobPhase.Succeeded) or nameof(TrainingJobPhase.Failed) or nameof(TrainingJobPhase.Cancelled) or Ended;

    /// <summary>The members of a group. Without a Primary all jobs are; a service never is.</summary>
    public static IReadOnlyList<GroupMember> Of(ObservedGroup seen)
    {
        var (group, tasks) = (seen.Group, seen.Group.Spec.Tasks);
        var hasPrimary = tasks.Exists(task => task.Role == TaskRole.Primary);
        return
        [
            .. tasks.Select(task => new GroupMember(
                task,
                task.Service is not null ? TaskRole.Auxiliary : !hasPrimary ? TaskRole.Primary : task.Role ?? TaskRole.Auxiliary,
                task.Job is null ? null : seen.Jobs.FirstOrDefault(job => job.IsControlledBy(group) && job.Metadata.Name == Names.TaskObject(group.Metadata.Name, task.Name)),
                group.Status?.Tasks?.Find(known => known.Name == task.Name))
            {
                Service = task.Service is null ? null : seen.Services.FirstOrDefault(service => service.IsControlledBy(group) && service.Metadata.Name == Names.TaskObject(group.Metadata.Name, task.Name)),
            }),
        ];
    }

    /// <summary>A job still runs or waits, and nobody has told it to end.</summary>
    public static bool Goes(TrainingJob job) => job.Status?.HasEnded() != true && !job.IsCancelled() && !job.IsDeleting();

    /// <summary>The job or the service is there, and nobody has told it to end.</summary>
    public bool Goes() => Job is { } job ? Goes(job) : Service?.IsDeleting() == false;

    /// <summary>As the status tells it.</summary>
    public JobGroupTaskStatus ToStatus() => new()
    {
        Name = Task.Name,
        Role = Role,
        Kind = IsService ? InferenceService.KubeKind : TrainingJob.KubeKind,
        Ref = Job?.Metadata.Name ?? Service?.Metadata.Name ?? Before?.Ref,
        Phase = !IsService ? Phase?.ToString() : Service is not null ? (Service.Status?.Phase ?? InferenceServicePhase.Pending).ToString() : HasEnded ? Ended : null,
        Restarts = Job?.Status?.Restarts is { } restarts
            ? (restarts.Counted ?? 0) + (restarts.Infrastructure ?? 0) + (restarts.Preempted ?? 0) + (restarts.Recovered ?? 0)
            : Before?.Restarts,
        Message = Message,
    };

    private static TrainingJobPhase PhaseOf(InferenceServicePhase? phase) => phase switch
    {
        InferenceServicePhase.Available or InferenceServicePhase.Degraded or InferenceServicePhase.Updating => TrainingJobPhase.Running,
        InferenceServicePhase.Starting => TrainingJobPhase.Starting,
        InferenceServicePhase.Failed => TrainingJobPhase.Failed,
        _ => TrainingJobPhase.Pending,
    };
}
