using System.Globalization;
using System.Runtime.CompilerServices;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;

namespace Trestle.Cli.Logs;

/// <summary>The logs of one job, of all jobs of a group, or of a service, from the pods' logs and from Slurm.</summary>
internal sealed class ClusterLogs(Cluster cluster, FoundJob found, TimeProvider time) : ILogSource
{
    private readonly SlurmLogs _slurm = new(new SlurmLogGate(cluster, found.Object.Metadata.NamespaceProperty, time).OpenAsync);

    public async Task<LogSubject?> FindAsync(CancellationToken cancellation)
    {
        var now = await cluster.RefreshAsync(found, cancellation);
        return now is null ? null : new LogSubject(now.Phase, now.HasEnded, now.ExitCode, now.Message);
    }

    public async Task<IReadOnlyList<LogRank>> RanksAsync(CancellationToken cancellation)
    {
        var ns = found.Object.Metadata.NamespaceProperty;
        if (found.Object is InferenceService) return [.. (await cluster.PodsAsync(ns, $"{Labels.ServiceUid}={found.Object.Metadata.Uid}", cancellation)).Select(OfService)];
        var selector = found.Object is JobGroup
            ? $"{Labels.JobGroup}={found.Name}"
            : $"{Labels.JobUid}={found.Object.Metadata.Uid}";
        var pods = await cluster.PodsAsync(ns, selector, cancellation);
        var slurm = await cluster.SlurmJobsAsync(ns, selector, cancellation);
        return [.. pods.Where(pod => Label(pod, Labels.JobName).Length > 0).Select(ToRank), .. slurm.SelectMany(job => SlurmLogs.Ranks(job, Task(job.Metadata)))];
    }

    public IAsyncEnumerable<LogLine> ReadAsync(LogRank rank, LogQuery query, CancellationToken cancellation) =>
        rank.IsOnSlurm ? _slurm.ReadAsync(rank, query, cancellation) : ReadPodAsync(rank, query, cancellation);

    public bool IsPassing(Exception error) => ErrorTranslation.IsPassing(error);

    public bool IsGone(Exception error) => error is CliException { ExitCode: ExitCode.NotFound };

    private async IAsyncEnumerable<LogLine> ReadPodAsync(LogRank rank, LogQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var stream = await cluster.OpenLogAsync(found.Object.Metadata.NamespaceProperty, rank.Pod, Query(rank, query), cancellation);
        using var reader = new StreamReader(stream);
        while (await cluster.ReadLineAsync(reader, cancellation) is { } line)
        {
            yield return LogLine.Parse(line);
        }
    }

    private static string Query(LogRank rank, LogQuery query)
    {
        var text = $"container={rank.Container}&timestamps=true";
        text += query.Follow ? "&follow=true" : "";
        text += query.SinceTime is null ? "" : "&sinceTime=" + Uri.EscapeDataString(WholeSecond(query.SinceTime));
        text += query.SinceSeconds is null ? "" : $"&sinceSeconds={query.SinceSeconds}";
        return text + (query.Tail is null ? "" : $"&tailLines={query.Tail}");
    }

    // Kubernetes reads sinceTime to the second; sending less than it holds keeps the cursor right on servers that read more.
    private static string WholeSecond(string stamp) =>
        DateTimeOffset.Parse(stamp, CultureInfo.InvariantCulture).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static LogRank ToRank(V1Pod pod)
    {
        return new LogRank(
            pod.Metadata.Name,
            pod.Metadata.Uid,
            Label(pod, Labels.JobName),
            Task(pod.Metadata),
            Number(pod, Labels.Rank, 0),
            Number(pod, Labels.Attempt, 1),
            StateOf(pod, Names.MainContainer));
    }

    private static LogRank OfService(V1Pod pod)
    {
        var isGateway = Label(pod, Labels.Component) == Labels.GatewayComponent;
        var container = isGateway ? Names.GatewayContainer : Names.EngineContainer;
        return new LogRank(pod.Metadata.Name, pod.Metadata.Uid, Label(pod, Labels.Service), container, Number(pod, Labels.Replica, 0), Attempt: 1, StateOf(pod, container))
        {
            Container = container,
            Node = Number(pod, Labels.Rank, 0),
            IsAside = isGateway,
        };
    }

    private static int Number(V1Pod pod, string label, int otherwise) => int.TryParse(Label(pod, label), CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    private static string? Task(V1ObjectMeta meta) => meta.Labels is { } labels && labels.TryGetValue(Labels.Task, out var task) && task.Length > 0 ? task : null;

    private static string Label(V1Pod pod, string name) => pod.Metadata.Labels is { } labels && labels.TryGetValue(name, out var value) ? value : "";

    private static LogState StateOf(V1Pod pod, string container)
    {
        var state = pod.Status?.ContainerStatuses?.FirstOrDefault(status => status.Name == container)?.State;
        return state switch
        {
            { Terminated: not null } => LogState.Ended,
            { Running: not null } => LogState.Running,
            _ => pod.Status?.Phase is "Failed" or "Succeeded" ? LogState.Ended : LogState.Waiting,
        };
    }
}
