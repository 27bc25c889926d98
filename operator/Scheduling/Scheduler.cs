using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Telemetry;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>What the scheduler sees of the cluster.</summary>
/// <param name="Jobs">All jobs.</param>
/// <param name="Groups">All groups.</param>
/// <param name="Pods">All pods, of others as well.</param>
/// <param name="Nodes">All nodes.</param>
public sealed record SchedulerCaches(IObjectCache<TrainingJob> Jobs, IObjectCache<JobGroup> Groups, IObjectCache<PodView> Pods, IObjectCache<NodeView> Nodes);

/// <summary>Admits jobs: after every change of jobs, pods or nodes it runs a pass and writes what it decided.</summary>
/// <param name="api">The server.</param>
/// <param name="caches">What it sees.</param>
/// <param name="podOf">The pod of any rank of a job, as it will be created; <see cref="ArgumentException"/> when it can't be.</param>
/// <param name="events">Where admissions are told.</param>
/// <param name="time">Clock of waits.</param>
/// <param name="log">Where passes are told.</param>
public sealed class Scheduler(IKubeApi api, SchedulerCaches caches, Func<TrainingJob, V1Pod> podOf, IEventRecorder events, TimeProvider time, ILogger log) : IDisposable
{
    private const int Writers = 16;
    private const int QueueWrites = 200;
    private static readonly TimeSpan Debounce = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan QueueInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _woken = new(0, 1);
    private readonly ConditionalWeakTable<TrainingJob, Shape> _shapes = [];

    // Admissions that were written and that the cache may not have yet.
    private readonly ConcurrentDictionary<ObjectKey, TrainingJob> _written = [];
    private DateTimeOffset _queueToldAt = DateTimeOffset.MinValue;

    /// <inheritdoc/>
    public void Dispose() => _woken.Dispose();

    /// <summary>Something changed: a pass runs soon.</summary>
    public void Wake()
    {
        try
        {
            _woken.Release();
        }
        catch (SemaphoreFullException)
        {
            // A pass is on its way already.
        }
    }

    /// <summary>Runs passes until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var next = await TryPassAsync(ct);
            await WaitAsync(next, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Delay(Debounce, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One pass. Gives when to look again without a change; null for never.</summary>
    internal async Task<TimeSpan?> PassAsync(CancellationToken ct)
    {
        using var timed = OperatorMeter.TimePass(time);
        var now = time.GetUtcNow();
        var jobs = caches.Jobs.Items.Select(Newest).ToDictionary(job => job.Key());
        var queue = GangQueue.Of(jobs.Values, caches.Groups.Find, ShapeOf, now);
        var nodes = NodeSnapshot.Take(caches.Nodes.Items, caches.Pods.Items, jobs.Values, ShapeOf);
        var result = AdmissionPass.Run(nodes, queue.Gangs);
        await Parallel.ForEachAsync(result.Admitted, Bounded(ct), async (admitted, token) => await AdmitAsync(jobs[admitted.Job.Job], admitted.Nodes, now, token));
        var tellNext = await TellQueueAsync(Told(queue, result, jobs), now, ct);
        return Earlier(queue.Next - now, tellNext);
    }

    private async Task<TimeSpan?> TryPassAsync(CancellationToken ct)
    {
        try
        {
            return await PassAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception error) when (error is KubeApiException or HttpRequestException or OperationCanceledException)
        {
            OperatorLog.PassFailed(log, error.Message, Pause.TotalSeconds);
        }
        catch (Exception error)
        {
            OperatorLog.PassBroke(log, error, Pause.TotalSeconds);
        }

        return Pause;
    }

    private async Task WaitAsync(TimeSpan? next, CancellationToken ct)
    {
        await using var timer = next is { } wait ? time.CreateTimer(_ => Wake(), null, wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan) : null;
        await _woken.WaitAsync(ct);
    }

    private async Task AdmitAsync(TrainingJob job, IReadOnlyList<string> nodes, DateTimeOffset now, CancellationToken ct)
    {
        var admitted = QueueStatuses.Admitted(job, nodes, now);
        if (await WriteAsync(admitted, ct) is not { } written) return;
        _written[job.Key()] = written;
        OperatorLog.Admitted(log, job.Key(), admitted.Status!.Attempt!.Value, nodes.Count);
        events.Record(written, warning: false, "Admitted", $"attempt {admitted.Status.Attempt}: {admitted.Status.Message}");
    }

    // Null when the job changed meanwhile: its change wakes the next pass.
    private async Task<TrainingJob?> WriteAsync(TrainingJob job, CancellationToken ct)
    {
        try
        {
            return await api.ReplaceStatusAsync(job, ct);
        }
        catch (KubeApiException error) when (error.IsConflict || error.IsNotFound)
        {
            return null;
        }
    }

    // Those that were never told come first, then those that are next.
    private static List<TrainingJob> Told(GangQueue queue, PassResult result, Dictionary<ObjectKey, TrainingJob> jobs) =>
        [.. result.Waiting.SelectMany(waiting => waiting.Gang.Jobs.Select(job => (Job: jobs[job.Job], Position: (int?)waiting.Position, waiting.Reason)))
            .Concat(queue.Held.Select(held => (held.Job, Position: (int?)null, held.Reason)))
            .OrderBy(told => told.Job.Status?.Queue?.Reason is null ? 0 : 1).ThenBy(told => told.Position)
            .Select(told => QueueStatuses.Waiting(told.Job, told.Position, told.Reason)).OfType<TrainingJob>()];

    // One end moves everybody behind it up, so it is told at intervals and not to all at once.
    private async Task<TimeSpan?> TellQueueAsync(List<TrainingJob> all, DateTimeOffset now, CancellationToken ct)
    {
        if (all.Count == 0) return null;
        if (_queueToldAt + QueueInterval - now is var wait && wait > TimeSpan.Zero) return wait;
        _queueToldAt = now;
        await Parallel.ForEachAsync(all.Take(QueueWrites), Bounded(ct), async (job, token) => await WriteAsync(job, token));
        return all.Count > QueueWrites ? QueueInterval : null;
    }

    private static ParallelOptions Bounded(CancellationToken ct) => new() { MaxDegreeOfParallelism = Writers, CancellationToken = ct };

    private TrainingJob Newest(TrainingJob cached)
    {
        if (!_written.TryGetValue(cached.Key(), out var written)) return cached;
        if (written.Metadata.Uid == cached.Metadata.Uid && (cached.Status?.Attempt ?? 0) < written.Status?.Attempt) return written;
        _written.TryRemove(cached.Key(), out _);
        return cached;
    }

    private Shape? ShapeOf(TrainingJob job)
    {
        if (_shapes.TryGetValue(job, out var known)) return known;
        try
        {
            var shape = Shape.Of(podOf(job).Spec);
            _shapes.AddOrUpdate(job, shape);
            return shape;
        }
        catch (Exception error) when (error is ArgumentException or FormatException or JsonException or InvalidOperationException)
        {
            OperatorLog.NoShape(log, job.Key(), error.Message);
            return null;
        }
    }

    private static TimeSpan? Earlier(TimeSpan? one, TimeSpan? other) => one is null ? other : other is null || one < other ? one : other;
}
