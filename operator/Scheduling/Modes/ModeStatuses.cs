using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Views;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>What modes write into the status of a job. Pure; the job is not changed.</summary>
internal static class ModeStatuses
{
    private const int MaxText = 1024;

    /// <summary>The next attempt may start; somebody else chooses its nodes, which it has already got (Admitted) or still waits for (Queued).</summary>
    public static TrainingJobStatus NextAttempt(TrainingJob job, TrainingJobPhase phase, string reason, string message, DateTimeOffset now)
    {
        var status = job.Status.Copy();
        status.Attempt = (status.Attempt ?? 0) + 1;
        status.Admission = new AdmissionStatus { Attempt = status.Attempt.Value, Size = job.NodeCount };
        status.Queue = new QueueStatus { QueuedAt = status.Queue?.QueuedAt };
        (status.Phase, status.Reason, status.Message) = (phase, reason, Cut(message));
        if (phase == TrainingJobPhase.Admitted) (status.Timeline ??= new TrainingJobTimeline()).AdmittedAt ??= now.UtcDateTime;
        return status;
    }

    /// <summary>It waits for admission; null when its status says so already.</summary>
    /// <param name="job">The job.</param>
    /// <param name="reason">Why it waits, as one CamelCase word.</param>
    /// <param name="message">What it waits for.</param>
    public static TrainingJobStatus? Waiting(TrainingJob job, string reason, string message)
    {
        message = Cut(message);
        var known = job.Status!;
        if (known.Phase == TrainingJobPhase.Queued && known.Reason == reason && known.Message == message && known.Queue?.Reason == message) return null;
        var status = known.Copy();
        (status.Queue ??= new QueueStatus()).Reason = message;
        (status.Phase, status.Reason, status.Message) = (TrainingJobPhase.Queued, reason, message);
        return status;
    }

    /// <summary>What the other scheduler says of an attempt that waits for its nodes; null when the status says so already.</summary>
    public static TrainingJobStatus? Told(TrainingJob job, string words)
    {
        words = Cut(words);
        if (job.Status?.Queue?.Reason == words) return null;
        var status = job.Status.Copy();
        (status.Queue ??= new QueueStatus()).Reason = words;
        return status;
    }

    /// <summary>It must give its nodes back.</summary>
    public static TrainingJobStatus Evicted(TrainingJob job, string reason, string message)
    {
        var status = job.Status.Copy();
        (status.Phase, status.Reason, status.Message) = (TrainingJobPhase.Preempting, reason, Cut(message));
        return status;
    }

    // Others' words may be of any length.
    private static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText] + "…";
}
