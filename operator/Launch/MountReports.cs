using System.Collections.Concurrent;
using Trestle.Api.Launch;

namespace Trestle.Operator.Launch;

/// <summary>What a mount of a rank said last.</summary>
/// <param name="Rank">The rank.</param>
/// <param name="Mount">Number of the mount in the job.</param>
/// <param name="Report">Its words.</param>
/// <param name="At">When it said so, by the operator's clock.</param>
/// <param name="Since">When it first told of its newest checkpoint.</param>
public sealed record ReportedMount(int Rank, int Mount, MountReport Report, DateTimeOffset At, DateTimeOffset Since);

/// <summary>What follows from the words of several mounts.</summary>
public static class ReportedMounts
{
    /// <summary>
    /// Those whose checkpoints are durable as a whole. One rank finishes a checkpoint that all may have written: all of it is in the
    /// storage when every rank has said since then, or at its end, that nothing of its own is left.
    /// </summary>
    /// <param name="said">What was said.</param>
    /// <param name="size">Ranks of the attempt.</param>
    public static IEnumerable<ReportedMount> Whole(this IReadOnlyList<ReportedMount> said, int size) => said.Where(told =>
        said.Count(other => other.Mount == told.Mount && other.Rank < size && (other == told || (other.Report.IsDurable && (other.Report.IsLast || other.At >= told.Since)))) == size);
}

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
        var now = time.GetUtcNow();
        var isNewer = before is null || Newest(before.Report) != Newest(report);
        known.Mounts[(rank, mount)] = new ReportedMount(rank, mount, report, now, isNewer ? now : before!.Since);
        Prune();
        if (before is null || IsNews(before.Report, report)) Told?.Invoke(uid);
    }

    /// <summary>What the mounts of an attempt said last.</summary>
    public IReadOnlyList<ReportedMount> Of(string uid, int attempt) =>
        _attempts.TryGetValue((uid, attempt), out var known) ? [.. known.Mounts.Values.OrderBy(mount => mount.Rank).ThenBy(mount => mount.Mount)] : [];

    // That bytes become fewer is looked at from time to time; what people wait for is told at once.
    private static bool IsNews(MountReport before, MountReport now) =>
        (before.IsDurable, before.IsLast, before.Trouble) != (now.IsDurable, now.IsLast, now.Trouble) || Newest(before) != Newest(now);

    private static DurableCheckpoint? Newest(MountReport report) => report.Checkpoints is [var newest, ..] ? newest : null;

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
