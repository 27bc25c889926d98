using Trestle.Api.V1Alpha1;
using Trestle.Cli.Output;

namespace Trestle.Cli.Jobs;

/// <summary>The columns and states of `sky jobs queue`.</summary>
internal static class SkyQueueTable
{
    public static TextTable Build(JobSet jobs, DateTime now, bool skipFinished) => new(
        [new("ID"), new("NAME"), new("RESOURCES"), new("SUBMITTED"), new("DURATION"), new("#RECOVERIES"), new("STATUS")],
        [
            .. jobs.All.Reverse().Where(job => !skipFinished || !job.HasEnded()).Select(job => new[]
            {
                job.Metadata.Name,
                job.Metadata.Name,
                $"{job.NodeCount()}x[{job.Spec.Resources?.Accelerators ?? "CPU"}]",
                job.Metadata.CreationTimestamp is { } created ? Ages.Short(now - created) + " ago" : "-",
                job.Status?.Timeline?.StartedAt is { } started ? Ages.Short((job.Status.Timeline.FinishedAt ?? now) - started) : "-",
                job.RestartCount().ToString(),
                State(job),
            }),
        ]);

    internal static string State(TrainingJob job) => job.Phase() switch
    {
        "Pending" or "Queued" or "Suspended" => "PENDING",
        "Admitted" or "Starting" => "STARTING",
        "Running" => "RUNNING",
        "Restarting" or "Preempting" => "RECOVERING",
        "Succeeded" => "SUCCEEDED",
        "Cancelled" => "CANCELLED",
        "Cancelling" => "CANCELLING",
        _ => job.Status?.Exit?.Stage?.ToString() == "Setup" ? "FAILED_SETUP" : "FAILED",
    };
}
