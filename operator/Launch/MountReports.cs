using System.Collections.Concurrent;
using Trestle.Api.Launch;

namespace Trestle.Operator.Launch;

/// <summary>What a mount of a rank said last.</summary>
/// <param name="Rank">The rank.</param>
/// <param name="Mount">Number of the mount in the job.</param>
/// <param name="Report">Its words.</param>
public sealed record ReportedMount(int Rank, int Mount, MountReport Report);

/// <summary>
/// The last words of every cache mount, in memory alone: they come again every few seconds, so that an operator that takes over knows
/// all of them soon. Those of attempts that nobody tells of any more are forgotten.
/// </summary>
public sealed class MountReports(TimeProvider time)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);
    private readonly ConcurrentDictionary<(string Uid, int Attempt), Attempt> _attempts = [];
    private long _prunedAt = time.GetTimestamp();

    /// <summary>Told the uid of a job when one of its mounts says something that people wait for.</summary>
    public Action<string>? Told { get; set; }

    /// <summary>A mount told of itself just now.</summary>
    public void Record(string uid, int attempt, int rank, int mount, MountReport report)
    {
        var known = _attempts.GetOrAdd((uid, attempt), _ => new Attempt());
        known.At = time.GetTimestamp();
        var before = known.Mounts.GetValueOrDefault((rank, mount));
        known.Mounts[(rank, mount)] = new ReportedMount(rank, mount, report);
        Prune();
        if (before is null || report.IsNewsAfter(before.Report)) Told?.Invoke(uid);
    }

    /// <summary>What the mounts of an attempt said last.</summary>
    public IReadOnlyList<ReportedMount> Of(string uid, int attempt) =>
        _attempts.TryGetValue((uid, attempt), out var known) ? [.. known.Mounts.Values.OrderBy(mount => mount.Rank).ThenBy(mount => mount.Mount)] : [];

    private void Prune()
    {
        var last = Interlocked.Read(ref _prunedAt);
        if (time.GetElapsedTime(last) < Kept || Interlocked.CompareExchange(ref _prunedAt, time.GetTimestamp(), last) != last) return;
        foreach (var (attempt, known) in _attempts)
        {
            if (time.GetElapsedTime(known.At) > Kept) _attempts.TryRemove(attempt, out _);
        }
    }

    private sealed class Attempt
    {
        public long At { get; set; }

        public ConcurrentDictionary<(int Rank, int Mount), ReportedMount> Mounts { get; } = [];
    }
}
