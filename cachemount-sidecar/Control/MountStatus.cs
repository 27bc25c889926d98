using System.Text.Json.Serialization;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Control;

/// <summary>What a mount says of itself.</summary>
internal sealed record MountStatus
{
    /// <summary>Where the objects go.</summary>
    public required string Store { get; init; }

    /// <summary>Which front serves the files.</summary>
    public required string Front { get; init; }

    /// <summary>Why that one.</summary>
    public required string FrontReason { get; init; }

    /// <summary>Where the FUSE front is mounted.</summary>
    public string? MountedAt { get; init; }

    /// <summary>Whether the kernel reads and writes files of the cache by itself: on, or why not. Null without a FUSE front.</summary>
    public string? Passthrough { get; init; }

    /// <summary>Writers that are held back until there is room.</summary>
    public int WaitingWriters { get; init; }

    /// <summary>Files that are closed and not in the store yet.</summary>
    public required int PendingFiles { get; init; }

    /// <summary>Their bytes.</summary>
    public required long PendingBytes { get; init; }

    /// <summary>What holds the first of them up; null when nothing does.</summary>
    public string? Trouble { get; init; }

    /// <summary>Why the journal is not on disk; null when it is.</summary>
    public string? JournalTrouble { get; init; }

    /// <summary>Why not everything is watched; null when it is.</summary>
    public string? WatchTrouble { get; init; }

    /// <summary>Files that somebody is writing.</summary>
    public required int OpenFiles { get; init; }

    /// <summary>Files of temporary names that are held back.</summary>
    public required int HeldFiles { get; init; }

    /// <summary>Files that can't be stored, with the reason.</summary>
    public required IReadOnlyDictionary<string, string> Refused { get; init; }

    /// <summary>Checkpoints whose manifests are in the store, oldest first.</summary>
    public required IReadOnlyList<string> DurableCheckpoints { get; init; }

    /// <summary>Checkpoints that are finished and not durable yet.</summary>
    public required IReadOnlyList<string> PendingCheckpoints { get; init; }

    /// <summary>Of several nodes: finished checkpoints, with the ranks that have not said that all they wrote is in the store.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> MissingShares { get; init; } = new Dictionary<string, IReadOnlyList<int>>();

    /// <summary>Files that others have written too: each with the key beside its own under which it is kept.</summary>
    public IReadOnlyDictionary<string, string> Conflicts { get; init; } = new Dictionary<string, string>();

    /// <summary>Parts under way.</summary>
    public required int PartsUnderWay { get; init; }

    /// <summary>Parts that may be under way.</summary>
    public required int PartsAtOnce { get; init; }

    /// <summary>Bytes that the store has taken since the start.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>Files that became visible since the start.</summary>
    public required long StoredFiles { get; init; }

    /// <summary>From close to visible, of the last file.</summary>
    public required double LastDelaySeconds { get; init; }

    /// <summary>How long the last sync of the journal took.</summary>
    public required double JournalSyncSeconds { get; init; }

    /// <summary>Changes that no event had told.</summary>
    public required long RescanRepairs { get; init; }

    /// <summary>Tries that failed, by code.</summary>
    public required IReadOnlyDictionary<string, long> Retries { get; init; }

    /// <summary>How full the cache is.</summary>
    public required SpaceState Space { get; init; }

    /// <summary>The state of a mount now.</summary>
    public static MountStatus Of(CachedMount mount, IObjectStore store)
    {
        var (pending, conflicts, published) = mount.Book.Read(ledger => (ledger.Pending.ToArray(), ledger.Conflicts.ToDictionary(known => known.Path, known => known.Key), ledger.Published.OrderBy(known => known.Value).Select(known => known.Key).ToArray()));
        return new MountStatus
        {
            Store = store.Name,
            Front = mount.FrontKind.ToString(),
            FrontReason = mount.FrontReason,
            MountedAt = mount.Fuse?.MountedAt,
            Passthrough = mount.Fuse is { } fuse ? fuse.NoPassthrough is { } reason ? $"off: {reason}" : "on" : null,
            WaitingWriters = mount.Fuse?.WaitingWriters ?? 0,
            PendingFiles = pending.Count(operation => operation is not Publish) + mount.Front.Unsure,
            PendingBytes = pending.OfType<Journal.Store>().Sum(operation => operation.File.Size),
            Trouble = mount.Engine.Trouble(),
            JournalTrouble = mount.JournalTrouble,
            WatchTrouble = mount.Front.Trouble,
            OpenFiles = mount.Front.Open,
            HeldFiles = mount.Front.Held,
            Refused = mount.Front.Refused,
            DurableCheckpoints = published,
            PendingCheckpoints = [.. pending.OfType<Publish>().Where(publish => !publish.IsBroken).Select(publish => publish.Path)],
            Conflicts = conflicts,
            MissingShares = mount.Shares?.Missing ?? new Dictionary<string, IReadOnlyList<int>>(),
            PartsUnderWay = mount.Engine.Window.UnderWay,
            PartsAtOnce = mount.Engine.Window.Limit,
            StoredBytes = mount.Engine.Counters.Bytes,
            StoredFiles = mount.Engine.Counters.Files,
            LastDelaySeconds = mount.Engine.Counters.LastDelay.TotalSeconds,
            JournalSyncSeconds = mount.Book.LastSync.TotalSeconds,
            RescanRepairs = mount.Front.Repairs,
            Retries = new Dictionary<string, long>(mount.Engine.Counters.Retries, StringComparer.Ordinal),
            Space = mount.Space,
        };
    }

    /// <summary>What became of files that others have written too, as a sentence; null when there are none.</summary>
    public string? Conflict() => Conflicts.Count == 0 ? null : $"{Conflicts.Count} files were written by somebody else too, and both are kept, e.g. {Conflicts.First().Key} as {Conflicts.First().Value}";

    /// <summary>Why not everything is durable; null when it is, as far as this says.</summary>
    public string? NotDurable() => this switch
    {
        { Refused.Count: > 0 } => $"{Refused.Count} files can't be stored, e.g. {Refused.First().Key}: {Refused.First().Value}",
        { PendingFiles: > 0 } or { PendingCheckpoints.Count: > 0 } => $"{PendingFiles} files ({PendingBytes} bytes) and {PendingCheckpoints.Count} checkpoints are not in {Store} yet" + (Trouble is null ? "" : $"; {Trouble}") + (MissingShares.FirstOrDefault(known => known.Value.Count > 0) is { Key: { } name } waiting ? $"; {name} waits for what ranks {string.Join(", ", waiting.Value)} wrote of it" : ""),
        _ => null,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(MountStatus))]
internal sealed partial class StatusJson : JsonSerializerContext;
