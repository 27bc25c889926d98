using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.JobGroups;

/// <summary>
/// The life of a group, as one decision at a time. Pure. When all primaries have ended, or somebody cancels the group, the
/// others are told to end: after their delay when every primary succeeded, else at once. The group is over when all are.
/// </summary>
public static class JobGroupPlanner
{
    // Nobody tells when somebody else's object is gone.
    private static readonly TimeSpan ObstacleInterval = TimeSpan.FromSeconds(10);

    /// <summary>What to do now.</summary>
    public static GroupPlan Plan(ObservedGroup seen, DateTimeOffset now)
    {
        var group = seen.Group;
        var launched = Launched(seen);
        var isHeld = group.Metadata.Finalizers?.Contains(Names.GroupFinalizer) == true;
        if (group.IsDeleting()) return new GroupPlan { Delete = isHeld ? [.. launched.Where(job => !job.IsDeleting())] : [], RemoveFinalizer = isHeld };
        if (!isHeld) return new GroupPlan { AddFinalizer = true };

        var members = GroupMember.Of(seen);
        var children = members.Select(member => member.Job).OfType<TrainingJob>();
        if (group.Status?.Phase is JobGroupPhase.Succeeded or JobGroupPhase.Failed or JobGroupPhase.Cancelled)
        {
            // What comes to light or joins after the end is told to end.
            return new GroupPlan { Cancel = [.. children.Concat(launched).Where(GroupMember.Goes)], EndServices = Services(members.Where(member => member.Goes())) };
        }

        if (GroupSupport.Unsupported(group.Spec) is { } unsupported) return new GroupPlan { Status = GroupStatuses.Refused(group, "Unsupported", unsupported, now) };
        if (Obstacle(seen, members) is var (reason, message)) return new GroupPlan { Status = GroupStatuses.Held(group, reason, message), RequeueAfter = ObstacleInterval };
        return Go(group, members, launched, now);
    }

    private static GroupPlan Go(JobGroup group, IReadOnlyList<GroupMember> members, IReadOnlyList<TrainingJob> launched, DateTimeOffset now)
    {
        var primaries = members.Where(member => member.Role == TaskRole.Primary).ToList();
        var endedAt = primaries.TrueForAll(member => member.HasEnded) ? group.Status?.PrimariesEndedAt ?? now.UtcDateTime : (DateTime?)null;
        var isEnding = endedAt is not null || group.IsCancelled();
        var isOver = isEnding && members.All(member => member.HasEnded || member.Phase is null) && launched.All(job => job.Status?.HasEnded() == true);
        var status = GroupStatuses.Of(group, members, launched, endedAt, isOver, now);
        if (!isEnding)
        {
            var missing = members.Where(member => member.Phase is null).Select(member => member.Task).ToList();
            return new GroupPlan { Status = status, Create = missing, RequeueAfter = missing.Count > 0 ? ObstacleInterval : null };
        }

        var due = members.Where(member => member.Goes()).ToLookup(member => End(group, member, primaries, endedAt, now) <= now);
        return new GroupPlan
        {
            Status = status,
            EndServices = Services(due[true]),
            Cancel = [.. due[true].Select(member => member.Job).OfType<TrainingJob>(), .. launched.Where(GroupMember.Goes)],
            RequeueAfter = due[false].Select(member => (TimeSpan?)(End(group, member, primaries, endedAt, now) - now)).Min(),
        };
    }

    // When a member is told to end.
    private static DateTimeOffset End(JobGroup group, GroupMember member, List<GroupMember> primaries, DateTime? endedAt, DateTimeOffset now)
    {
        if (group.IsCancelled() || endedAt is null || primaries.Exists(primary => primary.Phase != TrainingJobPhase.Succeeded)) return now;
        return new DateTimeOffset(DateTime.SpecifyKind(endedAt.Value, DateTimeKind.Utc)) + (group.Spec.TerminationDelay?.For(member.Task.Name) ?? TimeSpan.Zero);
    }

    // What keeps the group from being begun, though it may go away.
    private static (string Reason, string Message)? Obstacle(ObservedGroup seen, IReadOnlyList<GroupMember> members)
    {
        if (members.Any(member => member.Phase is not null)) return null;
        if (GroupSupport.Problem(seen.Group.Spec) is { } problem) return ("InvalidTerminationDelay", problem);
        var names = members.Select(member => Names.TaskObject(seen.Group.Metadata.Name, member.Task.Name)).ToHashSet();
        var foreign = seen.Jobs.FirstOrDefault(job => names.Contains(job.Metadata.Name)) is { } job ? $"{TrainingJob.KubeKind} {job.Metadata.Name}"
            : seen.Services.FirstOrDefault(service => names.Contains(service.Metadata.Name)) is { } service ? $"{InferenceService.KubeKind} {service.Metadata.Name}"
            : null;
        return foreign is null ? null : ("NameTaken", $"{foreign} is there already and is not of this group; delete it, or rename the group or the task");
    }

    private static List<InferenceService> Services(IEnumerable<GroupMember> members) => [.. members.Select(member => member.Service).OfType<InferenceService>()];

    private static List<TrainingJob> Launched(ObservedGroup seen) =>
        [.. seen.Jobs.Where(job => job.ControllerOwner() is null && GroupOf(job) == seen.Group.Metadata.Name)];

    /// <summary>Name of the group that a job is attached to; null for none.</summary>
    public static string? GroupOf(TrainingJob job) => job.Spec.Group ?? job.Label(Labels.JobGroup);
}
