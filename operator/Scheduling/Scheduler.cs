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
public sealed record SchedulerCaches(IObjectCache<TrainingJob> Jobs, IObjectCache<JobGroup> Groups, IObjectCache<PodView> Pods, IObjectCache<NodeView> Nodes)
{
    /// <summary>All queues.</summary>
    public IObjectCache<Queue> Queues { get; init; } = new ObjectStore<Queue>();

    /// <summary>All services; with any, pods need the index <see cref="PodFacts.ServiceUidIndex"/>.</summary>
    public IObjectCache<InferenceService> Services { get; init; } = new ObjectStore<InferenceService>();
}

/// <summary>Admits jobs: after every change of jobs, pods, queues or nodes it runs a pass and writes what it decided.</summary>
public sealed class Scheduler : IDisposable
{
    private const int QueueWrites = 200;
    private static readonly TimeSpan Debounce = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan QueueInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _woken = new(0, 1);
    private readonly SchedulerCaches _caches;
    private readonly KnownShapes _shapes;
    private readonly JobCards _cards;
    private readonly Decisions _decisions;
    private readonly ReplicaReleases _releases;
    private readonly QueueTold _told = new(QueueWrites);
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    // Lost in a crash, and then other nodes may be promised.
    private IReadOnlyDictionary<string, IReadOnlyList<RankAssignment>> _promised = new Dictionary<string, IReadOnlyList<RankAssignment>>();
    // How long the last decision took.
    private TimeSpan _decided;
    private long? _queueToldAt;

    /// <param name="api">The server.</param>
    /// <param name="caches">What it sees.</param>
    /// <param name="podOf">The pod of any rank of a job, as it will be created; <see cref="ArgumentException"/> when it can't be.</param>
    /// <param name="events">Where admissions are told.</param>
    /// <param name="time">Clock of waits.</param>
    /// <param name="log">Where passes are told.</param>
    public Scheduler(IKubeApi api, SchedulerCaches caches, Func<TrainingJob, V1Pod> podOf, IEventRecorder events, TimeProvider time, ILogger log)
    {
        (_caches, _time, _log) = (caches, time, log);
        _shapes = new KnownShapes(podOf, log);
        _cards = new JobCards(_shapes.Of);
        _decisions = new Decisions(api, events, time, log);
        _releases = new ReplicaReleases(api, caches.Nodes, log);
    }

    /// <summary>Who waited so long has nodes reserved, and who keeps nodes for a restart that long gives them up.</summary>
    public TimeSpan StarvationTimeout { get; init; } = new AdmissionOptions().StarvationTimeout;

    /// <summary>Taints that pods of a service stand.</summary>
    internal Func<InferenceService, IReadOnlyList<V1Toleration>> TolerationsOf { get; init; } = _ => [];

    /// <summary>What replicas of services wait for.</summary>
    internal ReplicaWaits Waits { get; } = new();

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
            await Task.Delay(Rest(_decided), _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One pass. Gives when to look again without a change; null for never.</summary>
    internal async Task<TimeSpan?> PassAsync(CancellationToken ct)
    {
        using var timed = OperatorMeter.TimePass(_time);
        await _decisions.MakeSureAsync(ct);
        await _releases.MakeSureAsync(ct);
        var began = _time.GetTimestamp();
        var decided = Decide();
        _decided = _time.GetElapsedTime(began);
        return await ApplyAsync(decided, ct);
    }

    /// <summary>What a pass would do now; nothing is written.</summary>
    internal Decided Decide()
    {
        var now = _time.GetUtcNow();
        var jobs = _caches.Jobs.Items;
        _cards.Read(jobs, _decisions.IsAhead ? _decisions.Newest : static cached => cached);
        _shapes.Keep(jobs);
        var options = new AdmissionOptions { StarvationTimeout = StarvationTimeout, Promised = _promised };
        var replicas = ReplicaClaim.Of(_caches.Services.Items, uid => _releases.Newest(_caches.Pods.Where(PodFacts.ServiceUidIndex, uid)), TolerationsOf, _caches.Groups.Find, _cards.Holding);
        return new Decided(AdmissionPlan.Decide(_cards, _caches.Groups.Find, _caches.Queues.Items, _caches.Nodes.Items, _releases.Newest(_caches.Pods.Items), now, options, replicas), now);
    }

    /// <summary>Writes what was decided. Gives when to look again without a change; null for never.</summary>
    internal async Task<TimeSpan?> ApplyAsync(Decided decided, CancellationToken ct)
    {
        var (pass, now) = decided;
        _promised = pass.Result.Promised;
        await _decisions.WriteAsync(pass.Result, _cards.Job, ct);
        await _releases.WriteAsync(pass.Result.Admitted, ct);
        Waits.Tell(Reasons(pass));
        var tellNext = await TellAsync(pass, now, ct);
        return Earlier(Earlier(pass.Queue.Next, pass.Result.Next) - now, tellNext);
    }

    /// <summary>How long to collect changes before the next pass: deciding takes a fifth of a core at the most, however many changes come.</summary>
    internal static TimeSpan Rest(TimeSpan decided) => decided * 4 > Debounce ? decided * 4 : Debounce;

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
            OperatorLog.PassFailed(_log, error.Message, Pause.TotalSeconds);
        }
        catch (Exception error)
        {
            OperatorLog.PassBroke(_log, error, Pause.TotalSeconds);
        }

        return Pause;
    }

    private async Task WaitAsync(TimeSpan? next, CancellationToken ct)
    {
        await using var timer = next is { } wait ? _time.CreateTimer(_ => Wake(), null, wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan) : null;
        await _woken.WaitAsync(ct);
    }

    // At intervals and not to all at once.
    private async Task<TimeSpan?> TellAsync(AdmissionPlan.Pass pass, DateTimeOffset now, CancellationToken ct)
    {
        if (_queueToldAt is { } at && QueueInterval - _time.GetElapsedTime(at) is var wait && wait > TimeSpan.Zero) return wait;
        var (told, areMore) = _told.Choose(pass.Queue, pass.Result, _cards.Job);
        var queues = _caches.Queues.Items.Select(queue => QueueReports.Of(queue, pass.Quotas.Of(queue.Metadata.Name), now)).OfType<Queue>().ToList();
        if (told.Count == 0 && queues.Count == 0) return null;
        _queueToldAt = _time.GetTimestamp();
        return await _decisions.TellAsync(told, queues, ct) && !areMore ? null : QueueInterval;
    }

    private static Dictionary<ReplicaKey, string> Reasons(AdmissionPlan.Pass pass)
    {
        var reasons = new Dictionary<ReplicaKey, string>(pass.Queue.HeldReplicas);
        foreach (var waiting in pass.Result.Waiting)
        {
            foreach (var job in waiting.Gang.Jobs)
            {
                if (job.Replica is { } replica) reasons[replica.Key] = waiting.Reason;
            }
        }

        return reasons;
    }

    private static TimeSpan? Earlier(TimeSpan? one, TimeSpan? other) => one is null ? other : other is null || one < other ? one : other;

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null ? other : other is null || one < other ? one : other;

    internal sealed record Decided(AdmissionPlan.Pass Pass, DateTimeOffset Now);
}
