using System.Globalization;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Runtime;

namespace Trestle.Operator.TrainingJobs;

/// <summary>
/// What the cache mounts of an attempt say, as part of the status of its job. What they don't say changes nothing: lost contact makes
/// no checkpoint less durable. Pure.
/// </summary>
internal static class MountStates
{
    /// <summary>How often what is under way is looked at.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    /// <summary>Takes in what was said.</summary>
    /// <param name="draft">The plan that is made.</param>
    /// <param name="size">Ranks of the attempt.</param>
    public static void Report(Draft draft, int size)
    {
        var mounts = BucketMount.Of(draft.Job, draft.Seen.Storages).Where(mount => mount.Writes).ToDictionary(mount => mount.Index);
        var said = draft.Seen.Mounts.Where(mount => mount.Rank < size && mounts.ContainsKey(mount.Mount)).ToList();
        if (mounts.Count > 0) draft.LookAgain(LookAgain);
        if (said.Count == 0) return;
        TakeCheckpoints(draft.Status, said, mounts);
        var (holds, reason, message) = Durable(said, mounts, isComplete: said.Count == mounts.Count * size);
        if (reason is null) return;
        var conditions = draft.Status.Conditions ??= [];
        Conditions.Set(conditions, StatusConditions.Durable, holds, reason, message, draft.Job.Metadata.Generation, draft.Now);
    }

    /// <summary>What is waited for when the user's code has ended on all ranks; null when that is not so.</summary>
    /// <param name="draft">The plan that is made.</param>
    /// <param name="open">Ranks that have not finished.</param>
    public static string? WaitedFor(Draft draft, IReadOnlyCollection<int> open)
    {
        var last = draft.Seen.Mounts.Where(mount => mount.Report is { IsLast: true, IsDurable: false } && open.Contains(mount.Rank)).ToList();
        return last.Count == 0 || last.Select(mount => mount.Rank).Distinct().Count() < open.Count ? null : $"the code has ended; {Bytes(last.Sum(mount => mount.Report.PendingBytes))} of what it wrote are still on their way to the storage";
    }

    private static void TakeCheckpoints(TrainingJobStatus status, List<ReportedMount> said, Dictionary<int, BucketMount> mounts)
    {
        var known = status.Checkpoint ??= new CheckpointStatus();
        known.PendingBytes = said.Sum(mount => mount.Report.PendingBytes);
        var newest = said.SelectMany(mount => mount.Report.Checkpoints.Select(checkpoint => (Name: Name(checkpoint, mounts[mount.Mount].Mount), At: Seconds(checkpoint.DurableAt)))).OrderByDescending(checkpoint => checkpoint.At).FirstOrDefault();
        if (newest.Name is null || newest.At <= known.DurableAt) return;
        (known.Latest, known.DurableAt) = (newest.Name, newest.At);
    }

    private static (bool Holds, string? Reason, string Message) Durable(List<ReportedMount> said, Dictionary<int, BucketMount> mounts, bool isComplete)
    {
        if (said.Find(mount => mount.Report.Trouble is not null) is { } troubled) return (false, "StorageTrouble", $"rank {troubled.Rank} at {mounts[troubled.Mount].Mount.Path}: {troubled.Report.Trouble}");
        if (said.Exists(mount => !mount.Report.IsDurable)) return (false, "Flushing", "what was written is on its way to the storage");
        if (isComplete && said.Find(mount => mount.Report.Conflict is not null) is { } conflicted) return (true, "FlushedWithConflicts", $"all files that were closed are in the storage; rank {conflicted.Rank} at {mounts[conflicted.Mount].Mount.Path}: {conflicted.Report.Conflict}");
        return isComplete ? (true, "Flushed", "all files that were closed are in the storage") : (false, null, "");
    }

    private static string Name(DurableCheckpoint checkpoint, StorageMount mount) => mount.SubPath is { Length: > 0 } sub ? $"{sub.TrimEnd('/')}/{checkpoint.Name}" : checkpoint.Name;

    // The API server keeps whole seconds.
    private static DateTime Seconds(DateTimeOffset time) => time.UtcDateTime.AddTicks(-(time.UtcTicks % TimeSpan.TicksPerSecond));

    private static string Bytes(long count) => count switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{count / (double)(1L << 30):0.0} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{count / (double)(1L << 20):0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{count} bytes"),
    };
}
