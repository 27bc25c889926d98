using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>
/// Writes what passes decided, and knows what was written before the caches do. Every write names the version that was decided
/// on: a job that changed meanwhile is left to the next pass. When it is not known whether a write arrived, the job is read
/// before anything else is decided, so that its nodes are not given away twice.
/// </summary>
internal sealed class Decisions(IKubeApi api, IEventRecorder events, TimeProvider time, ILogger log)
{
    private const int Writers = 16;

    // By job: the version that was written over, and what was written.
    private readonly ConcurrentDictionary<ObjectKey, (string Before, TrainingJob Written)> _written = [];
    private readonly ConcurrentDictionary<ObjectKey, string> _unsure = [];

    /// <summary>Whether anything was written that a cache may not have yet.</summary>
    public bool IsAhead => !_written.IsEmpty;

    /// <summary>The newest state that is known of a job.</summary>
    public TrainingJob Newest(TrainingJob cached)
    {
        if (!_written.TryGetValue(cached.Key(), out var known)) return cached;
        if (cached.Metadata.ResourceVersion == known.Before && cached.Metadata.Uid == known.Written.Metadata.Uid) return known.Written;
        _written.TryRemove(cached.Key(), out _);
        return cached;
    }

    /// <summary>Reads the jobs whose last write may or may not have arrived.</summary>
    public async Task MakeSureAsync(CancellationToken ct)
    {
        foreach (var (job, before) in _unsure)
        {
            if (await api.FindAsync<TrainingJob>(job, ct) is { } now && now.Metadata.ResourceVersion != before) _written[job] = (before, now);
            _unsure.TryRemove(job, out _);
        }
    }

    /// <summary>Writes who gives way first and then who is admitted.</summary>
    public async Task WriteAsync(PassResult result, Func<ObjectKey, TrainingJob> jobOf, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await Parallel.ForEachAsync(result.Evictions, Bounded(ct), async (eviction, token) => await EvictAsync(jobOf(eviction.Job), eviction, now, token));
        await Parallel.ForEachAsync(result.Admitted.Where(admitted => admitted.Job.Replica is null), Bounded(ct), async (admitted, token) => await AdmitAsync(jobOf(admitted.Job.Job), admitted.Nodes, now, token));
    }

    /// <summary>Tells jobs what they wait for and queues what they use; false when one changed meanwhile and was not told.</summary>
    public async Task<bool> TellAsync(IReadOnlyList<TrainingJob> told, IReadOnlyList<Queue> queues, CancellationToken ct)
    {
        var missed = 0;
        await Parallel.ForEachAsync(told, Bounded(ct), async (job, token) =>
        {
            if (await WriteAsync(job, token) is null) Interlocked.Increment(ref missed);
        });
        foreach (var queue in queues)
        {
            if (await WriteAsync(queue, ct) is null) missed++;
        }

        return missed == 0;
    }

    private async Task EvictAsync(TrainingJob job, Eviction eviction, DateTimeOffset now, CancellationToken ct)
    {
        var changed = eviction.IsRestart ? QueueStatuses.GaveUp(job, eviction.Message) : QueueStatuses.Preempted(job, eviction.Message, now);
        if (await WriteAsync(job, changed, ct) is not { } written) return;
        OperatorLog.Evicted(log, job.Key(), eviction.Message);
        events.Record(written, warning: true, eviction.IsRestart ? "GaveUpNodes" : "Preempted", eviction.Message);
    }

    private async Task AdmitAsync(TrainingJob job, IReadOnlyList<string> nodes, DateTimeOffset now, CancellationToken ct)
    {
        var admitted = QueueStatuses.Admitted(job, nodes, now);
        if (await WriteAsync(job, admitted, ct) is not { } written) return;
        OperatorLog.Admitted(log, job.Key(), admitted.Status!.Attempt!.Value, nodes.Count);
        events.Record(written, warning: false, "Admitted", $"attempt {admitted.Status.Attempt}: {admitted.Status.Message}");
    }

    private async Task<TrainingJob?> WriteAsync(TrainingJob job, TrainingJob changed, CancellationToken ct)
    {
        try
        {
            if (await WriteAsync(changed, ct) is not { } written) return null;
            _written[job.Key()] = (job.Metadata.ResourceVersion, written);
            return written;
        }
        catch
        {
            _unsure[job.Key()] = job.Metadata.ResourceVersion;
            throw;
        }
    }

    private Task<TrainingJob?> WriteAsync(TrainingJob job, CancellationToken ct) => UnlessChangedAsync(() => api.ReplaceStatusAsync(job, ct));

    private Task<Queue?> WriteAsync(Queue queue, CancellationToken ct) => UnlessChangedAsync(() => api.ReplaceStatusAsync(queue, ct));

    // Null when it changed meanwhile.
    private static async Task<T?> UnlessChangedAsync<T>(Func<Task<T>> write)
        where T : class
    {
        try
        {
            return await write();
        }
        catch (KubeApiException error) when (error.IsConflict || error.IsNotFound)
        {
            return null;
        }
    }

    private static ParallelOptions Bounded(CancellationToken ct) => new() { MaxDegreeOfParallelism = Writers, CancellationToken = ct };
}
