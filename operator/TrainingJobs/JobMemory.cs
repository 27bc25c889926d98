using System.Collections.Concurrent;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.TrainingJobs;

/// <summary>
/// What was just done for a job and may not be in the caches yet. Nothing depends on it but the number of requests and how
/// soon a decision is seen: losing it in a crash is fine.
/// </summary>
internal sealed class JobMemory(TimeProvider time, string uid)
{
    /// <summary>After so long the caches are believed again.</summary>
    public static readonly TimeSpan Lag = TimeSpan.FromSeconds(5);

    // Reports that only count ranks are written no faster than this, and more slowly the longer they are.
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ReportIntervalPerRank = TimeSpan.FromMilliseconds(2);

    // Timestamps, since somebody may set the clock.
    private readonly ConcurrentDictionary<string, long> _done = new(StringComparer.Ordinal);
    private string? _replacedVersion;
    private long? _written;

    public bool IsOf(TrainingJob job) => job.Metadata.Uid == uid;

    /// <summary>Whether the cache shows the job as it was before the last write.</summary>
    public bool IsStale(TrainingJob job) => job.Metadata.ResourceVersion == _replacedVersion;

    /// <summary>How long a report of so many ranks without a decision should wait; zero when it need not.</summary>
    public TimeSpan ReportWait(int ranks)
    {
        if (_written is not { } at) return TimeSpan.Zero;
        var left = ReportInterval + (ReportIntervalPerRank * ranks) - time.GetElapsedTime(at);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    public void Wrote(TrainingJob before)
    {
        _replacedVersion = before.Metadata.ResourceVersion;
        _written = time.GetTimestamp();
    }

    public bool IsDone(string what) => _done.TryGetValue(what, out var at) && time.GetElapsedTime(at) < Lag;

    public void Did(string what) => _done[what] = time.GetTimestamp();

    /// <summary>Forgets what the caches must show by now.</summary>
    public void Prune()
    {
        foreach (var (what, at) in _done)
        {
            if (time.GetElapsedTime(at) >= Lag) _done.TryRemove(what, out _);
        }
    }
}
