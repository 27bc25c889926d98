using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;

namespace Trestle.Operator.Scheduling;

/// <summary>What the scheduler writes into the status of a job. Pure.</summary>
internal static class QueueStatuses
{
    /// <summary>The next attempt has nodes.</summary>
    /// <param name="job">The job; not changed.</param>
    /// <param name="nodes">Node of every rank.</param>
    /// <param name="now">The time.</param>
    public static TrainingJob Admitted(TrainingJob job, IReadOnlyList<string> nodes, DateTimeOffset now)
    {
        var status = job.Status.Copy();
        status.Attempt = (status.Attempt ?? 0) + 1;
        status.Admission = new AdmissionStatus { Attempt = status.Attempt.Value, Size = nodes.Count == (job.Spec.Nodes ?? 1) ? null : nodes.Count, Ranks = [.. nodes.Select((node, rank) => new RankAssignment { Rank = rank, Node = node })] };
        status.Phase = TrainingJobPhase.Admitted;
        status.Reason = "Admitted";
        status.Message = nodes.Count == 1 ? "1 node reserved" : $"{nodes.Count} nodes reserved";
        status.Queue = status.Queue is { } queue ? new QueueStatus { QueuedAt = queue.QueuedAt } : null;
        status.Timeline ??= new TrainingJobTimeline();
        status.Timeline.AdmittedAt ??= now.UtcDateTime;
        StatusConditions.Set(status, StatusConditions.Admitted, true, status.Reason, status.Message, job.Metadata.Generation, now);
        return With(job, status);
    }

    /// <summary>It gives its nodes to another: the planner ends its pods and queues it again.</summary>
    /// <param name="job">The job; not changed.</param>
    /// <param name="message">Who gets them and why.</param>
    /// <param name="now">The time.</param>
    public static TrainingJob Preempted(TrainingJob job, string message, DateTimeOffset now)
    {
        var status = job.Status.Copy();
        (status.Phase, status.Reason, status.Message) = (TrainingJobPhase.Preempting, "Preempted", message);
        StatusConditions.Follow(status, job.Metadata.Generation, now);
        return With(job, status);
    }

    /// <summary>It goes on waiting for its restart, without the nodes that were kept for it.</summary>
    /// <param name="job">The job; not changed.</param>
    /// <param name="message">Who gets them and why.</param>
    public static TrainingJob GaveUp(TrainingJob job, string message)
    {
        var status = job.Status.Copy();
        status.Admission = null;
        status.Message = message;
        return With(job, status);
    }

    /// <summary>Whether its status says already what it waits for.</summary>
    /// <param name="job">The job.</param>
    /// <param name="position">1 is next; null while it is held.</param>
    /// <param name="reason">What it waits for, as a sentence.</param>
    public static bool Says(TrainingJob job, int? position, string reason) => job.Status?.Queue is { } known && known.Position == position && known.Reason == reason;

    /// <summary>It still waits.</summary>
    /// <param name="job">The job; not changed.</param>
    /// <param name="position">1 is next; null while it is held.</param>
    /// <param name="reason">What it waits for, as a sentence.</param>
    public static TrainingJob Waiting(TrainingJob job, int? position, string reason)
    {
        var status = job.Status.Copy();
        status.Queue ??= new QueueStatus();
        status.Queue.Position = position;
        status.Queue.Reason = reason;

        // While it restarts, why it does is told and not what it waits for.
        if (status.Phase == TrainingJobPhase.Queued) (status.Reason, status.Message) = ("Queued", reason);
        return With(job, status);
    }

    private static TrainingJob With(TrainingJob job, TrainingJobStatus status) => new() { Metadata = job.Metadata, Spec = job.Spec, Status = status };
}
