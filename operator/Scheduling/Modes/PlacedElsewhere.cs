using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>Words for attempts whose nodes another scheduler chooses.</summary>
internal static class PlacedElsewhere
{
    /// <summary>Who chooses the nodes of a job.</summary>
    public static string Placer(TrainingJob job) => job.Status?.SchedulingMode switch
    {
        SchedulingMode.Volcano => "Volcano",
        SchedulingMode.Coscheduling => "the coscheduling plugin",
        _ => "kube-scheduler",
    };

    /// <summary>What such a job waits for.</summary>
    /// <param name="job">The job.</param>
    /// <param name="placer">Who chooses.</param>
    /// <param name="words">What the scheduler says; null when it says nothing.</param>
    public static string Message(TrainingJob job, string placer, string? words)
    {
        var nodes = Draft.Nodes(job.Status?.Admission?.Size ?? job.NodeCount);
        var text = job.Status?.SchedulingMode == SchedulingMode.Kueue ? $"quota reserved; waiting for {placer} to place {nodes}" : $"waiting for {placer} to place {nodes} as one gang";
        return string.IsNullOrEmpty(words) ? text : $"{text}: {words}";
    }
}
