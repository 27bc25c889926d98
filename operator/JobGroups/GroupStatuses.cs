using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.JobGroups;

/// <summary>What is told of a group. Pure.</summary>
internal static class GroupStatuses
{
    private const int MaxLaunched = 256; // the schema's limit of status.launched

    /// <summary>It can never run.</summary>
    public static JobGroupStatus Refused(JobGroup group, string reason, string message, DateTimeOffset now)
    {
        var status = Told(group, JobGroupPhase.Failed, reason, message);
        status.FinishedAt ??= now.UtcDateTime;
        Set(status, group, "Unsupported", reason == "Unsupported", now);
        Set(status, group, "Failed", true, now);
        return status;
    }

    /// <summary>It waits for a person.</summary>
    public static JobGroupStatus Held(JobGroup group, string reason, string message) => Told(group, JobGroupPhase.Pending, reason, message);

    /// <summary>As its tasks are.</summary>
    public static JobGroupStatus Of(JobGroup group, IReadOnlyList<GroupMember> members, IReadOnlyList<TrainingJob> launched, DateTime? primariesEndedAt, bool isOver, DateTimeOffset now)
    {
        var (phase, reason, message) = Judge(group, members, launched, primariesEndedAt, isOver);
        var status = Told(group, phase, reason, message);
        status.Summary = Summary(members);
        status.Tasks = [.. members.Select(member => member.ToStatus())];
        status.Launched = launched.Count == 0 && status.Launched is null ? null
            : [.. launched.OrderByDescending(job => job.Metadata.CreationTimestamp).ThenBy(job => job.Metadata.Name, StringComparer.Ordinal).Take(MaxLaunched).Select(ToStatus)];
        status.PrimariesEndedAt = primariesEndedAt;
        status.StartedAt ??= members.Min(member => member.Job?.Status?.Timeline?.StartedAt);
        if (isOver) status.FinishedAt ??= now.UtcDateTime;
        Set(status, group, "Admitted", members.All(member => member.IsAdmitted), now);
        Set(status, group, "Progressing", phase == JobGroupPhase.Running, now);
        Set(status, group, "Complete", phase == JobGroupPhase.Succeeded, now);
        Set(status, group, "Failed", phase == JobGroupPhase.Failed, now);
        return status;
    }

    private static (JobGroupPhase Phase, string Reason, string Message) Judge(JobGroup group, IReadOnlyList<GroupMember> members, IReadOnlyList<TrainingJob> launched, DateTime? primariesEndedAt, bool isOver)
    {
        var (outcome, why, end) = Outcome(members);
        if (isOver) return (outcome, why, end);
        if (primariesEndedAt is not null || group.IsCancelled())
        {
            var left = members.Where(member => !member.HasEnded && member.Phase is not null).Select(member => member.Task.Name)
                .Concat(launched.Where(job => job.Status?.HasEnded() != true).Select(job => job.Metadata.Name));
            var because = primariesEndedAt is null ? "the group was cancelled" : end;
            return (JobGroupPhase.Terminating, primariesEndedAt is null ? "Cancelling" : why, $"{because}; waiting for {Listed(left)} to end");
        }

        var troubled = members.FirstOrDefault(member => !member.HasStarted) ?? members.FirstOrDefault(member => !member.HasEnded && member.Phase != TrainingJobPhase.Running);
        var message = $"{Summary(members)} tasks running{(troubled is null ? "" : $"; {troubled.Task.Name}: {troubled.Message}")}";
        return members.All(member => member.HasStarted) ? (JobGroupPhase.Running, "TasksRunning", message) : (JobGroupPhase.Pending, "TasksPending", message);
    }

    // The primaries alone decide.
    private static (JobGroupPhase Phase, string Reason, string Message) Outcome(IReadOnlyList<GroupMember> members)
    {
        var primaries = members.Where(member => member.Role == TaskRole.Primary).ToList();
        if (primaries.Find(member => member.Phase == TrainingJobPhase.Failed) is { } failed) return (JobGroupPhase.Failed, "PrimaryFailed", $"task {failed.Task.Name} failed: {failed.Message}");
        if (primaries.Exists(member => member.Phase != TrainingJobPhase.Succeeded)) return (JobGroupPhase.Cancelled, "Cancelled", "cancelled");
        var lost = members.Where(member => member.Phase == TrainingJobPhase.Failed).Select(member => member.Task.Name).ToList();
        var primary = primaries.Count == 1 ? $"task {primaries[0].Task.Name} succeeded" : $"all {primaries.Count} primary tasks succeeded";
        return (JobGroupPhase.Succeeded, "PrimariesSucceeded", lost.Count == 0 ? primary : $"{primary}; {Listed(lost)} failed");
    }

    private static JobGroupStatus Told(JobGroup group, JobGroupPhase phase, string reason, string message)
    {
        var status = group.Status.Copy();
        status.ObservedGeneration = group.Metadata.Generation;
        (status.Phase, status.Reason, status.Message) = (phase, reason, message);
        return status;
    }

    private static LaunchedJobStatus ToStatus(TrainingJob job) => new()
    {
        Name = job.Metadata.Name,
        Task = job.Annotation(Annotations.LaunchedBy),
        Phase = (job.Status?.Phase ?? TrainingJobPhase.Pending).ToString(),
        SubmittedAt = job.Metadata.CreationTimestamp,
    };

    private static string Summary(IReadOnlyList<GroupMember> members) => $"{members.Count(member => member.Phase == TrainingJobPhase.Running)}/{members.Count}";

    private static string Listed(IEnumerable<string> names)
    {
        var all = names.ToList();
        return all.Count <= 3 ? string.Join(", ", all) : $"{string.Join(", ", all.Take(3))} and {all.Count - 3} more";
    }

    // A condition that never held is not written, and one that stays as it is keeps its words.
    private static void Set(JobGroupStatus status, JobGroup group, string type, bool holds, DateTimeOffset now)
    {
        var known = status.Conditions?.Find(condition => condition.Type == type);
        if (known is null ? !holds : known.Status == (holds ? "True" : "False")) return;
        Conditions.Set(status.Conditions ??= [], type, holds, status.Reason!, status.Message!, group.Metadata.Generation, now);
    }
}
