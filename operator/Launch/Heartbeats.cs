using System.Collections.Concurrent;

namespace Trestle.Operator.Launch;

/// <summary>
/// The last words of every rank that is watched, in memory alone: the sidecars know how long it is quiet, so that an operator that
/// takes over is told all of it again by the next heartbeat. Words that are old are forgotten.
/// </summary>
public sealed class Heartbeats(TimeProvider time)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(5);
    private readonly ConcurrentDictionary<(string Uid, int Attempt), ConcurrentDictionary<int, Heartbeat>> _attempts = [];
    private long _prunedAt;

    /// <summary>A rank told of itself just now.</summary>
    public void Record(string uid, int attempt, int rank, TimeSpan silent, TimeSpan? untouched)
    {
        _attempts.GetOrAdd((uid, attempt), _ => [])[rank] = new Heartbeat(silent, untouched, time.GetUtcNow());
        Prune();
    }

    /// <summary>What the ranks of an attempt said last, by rank.</summary>
    public IReadOnlyDictionary<int, Heartbeat> Of(string uid, int attempt) =>
        _attempts.TryGetValue((uid, attempt), out var ranks) ? ranks.ToDictionary() : [];

    private void Prune()
    {
        var last = Interlocked.Read(ref _prunedAt);
        if (time.GetElapsedTime(last) < Kept || Interlocked.CompareExchange(ref _prunedAt, time.GetTimestamp(), last) != last) return;
        foreach (var (attempt, ranks) in _attempts)
        {
            if (ranks.Values.All(beat => time.GetUtcNow() - beat.At > Kept)) _attempts.TryRemove(attempt, out _);
        }
    }
}
