using Trestle.Api.V1Alpha1;
using Trestle.Cli.Output;

namespace Trestle.Cli.Jobs;

/// <summary>Jobs that have ended, newest first.</summary>
internal static class HistoryTable
{
    private static readonly string[] Headers = ["NAME", "USER", "BACKEND", "STATUS", "EXIT", "ELAPSED", "GPUS", "GPU-HOURS", "RESTARTS", "ENDED", "REASON"];

    public static TextTable Build(JobSet jobs, DateTime now, bool allNamespaces)
    {
        TableColumn[] columns = [.. Headers.Select(header => new TableColumn(header))];
        var rows = Ended(jobs).Select(job => Row(job, now, allNamespaces));
        return new TextTable(allNamespaces ? [new TableColumn("NAMESPACE"), .. columns] : columns, [.. rows]);
    }

    public static IEnumerable<TrainingJob> Ended(JobSet jobs) =>
        jobs.All.Where(job => job.HasEnded()).OrderByDescending(job => job.Status?.Timeline?.FinishedAt ?? job.Metadata.CreationTimestamp);

    private static string[] Row(TrainingJob job, DateTime now, bool allNamespaces)
    {
        var timeline = job.Status?.Timeline;
        var elapsed = timeline is { StartedAt: { } started, FinishedAt: { } finished } ? finished - started : TimeSpan.Zero;
        string[] cells =
        [
            job.Metadata.Name,
            JobFacts.User(job.Metadata),
            job.Backend(),
            job.Phase(),
            job.ExitCodeText(),
            timeline?.StartedAt is null ? "-" : Ages.Short(elapsed),
            job.Gpus() is > 0 and var gpus ? gpus.ToString() : "-",
            Ages.GpuHours(job.Gpus(), elapsed),
            job.RestartCount().ToString(),
            timeline?.FinishedAt is { } end ? Ages.Short(now - end) + " ago" : "-",
            job.Phase() == "Succeeded" ? "-" : job.Why(),
        ];
        return allNamespaces ? [job.Metadata.NamespaceProperty, .. cells] : cells;
    }
}
