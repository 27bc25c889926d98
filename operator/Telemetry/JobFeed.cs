using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Telemetry;

/// <summary>
/// Tells of every change of a job once. What the cache is filled with at first happened before this process led and is history;
/// a job that a later list or the watch brings has come since, and all of its status with it.
/// </summary>
internal static class JobFeed
{
    /// <summary>Tells the listener of what comes; before the informer runs.</summary>
    public static void Follow(Informer<TrainingJob> jobs, Action<JobTransition> listener, ILogger log) => jobs.Changed += (old, now) =>
    {
        if (!jobs.Synced.IsCompleted) return;
        try
        {
            foreach (var transition in Split(old, now)) listener(transition);
        }
        catch (Exception error)
        {
            // The cache and all who live on it matter more than figures.
            OperatorLog.TelemetryBroke(log, error, (now ?? old)!.Key());
        }
    };

    private static IEnumerable<JobTransition> Split(TrainingJob? old, TrainingJob? now) =>
        old is not null && now is not null && old.Metadata.Uid != now.Metadata.Uid
            ? [new JobTransition(old, null), new JobTransition(null, now)]
            : [new JobTransition(old, now)];
}
