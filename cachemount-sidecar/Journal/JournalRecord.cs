using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Journal;

/// <summary>One thing that happened to a path. Every record stands for itself: when others are lost it is still true.</summary>
/// <param name="Sequence">Place in the order in which things are to become visible in the store.</param>
/// <param name="Path">Relative to the mount, with slashes.</param>
internal abstract record JournalRecord(long Sequence, string Path);

/// <summary>A file was closed and must go to the store.</summary>
internal sealed record Closed(long Sequence, string Path, Fingerprint File) : JournalRecord(Sequence, Path);

/// <summary>An upload in parts has begun.</summary>
internal sealed record UploadBegun(long Sequence, string Path, string UploadId, long PartSize) : JournalRecord(Sequence, Path);

/// <summary>The store has a part.</summary>
/// <param name="Sequence">Of the file's close.</param>
/// <param name="Path">Of the file.</param>
/// <param name="UploadId">Of the upload that it belongs to.</param>
/// <param name="Number">From 1.</param>
/// <param name="ETag">As the store gave it.</param>
/// <param name="Crc32">Of the bytes that were sent.</param>
internal sealed record PartStored(long Sequence, string Path, string UploadId, int Number, string ETag, uint Crc32) : JournalRecord(Sequence, Path);

/// <summary>The store has the whole file, confirmed.</summary>
internal sealed record Completed(long Sequence, string Path, Fingerprint File, string ETag, uint Crc32) : JournalRecord(Sequence, Path);

/// <summary>A file was removed and must go from the store; a foreign one is there from somebody else, and was seen.</summary>
internal sealed record Removed(long Sequence, string Path, bool IsForeign = false) : JournalRecord(Sequence, Path);

/// <summary>What was to be done for a path need not be done any more: it was removed from the store, replaced or gone before its turn.</summary>
/// <param name="Sequence">Up to this one.</param>
/// <param name="Path">The path.</param>
/// <param name="IsGone">True: the store does not have it.</param>
internal sealed record Settled(long Sequence, string Path, bool IsGone) : JournalRecord(Sequence, Path);

/// <summary>An upload was given up in the store.</summary>
internal sealed record UploadEnded(long Sequence, string Path, string UploadId) : JournalRecord(Sequence, Path);

/// <summary>The local copy of a file that the store has was given up for space.</summary>
internal sealed record Evicted(long Sequence, string Path) : JournalRecord(Sequence, Path);

/// <summary>The file is stored under another key, since somebody else wrote its own.</summary>
internal sealed record Diverted(long Sequence, string Path, string Key) : JournalRecord(Sequence, Path);

/// <summary>A checkpoint is finished and its manifest must follow its files; or it is broken and its manifest must go before its files change.</summary>
internal sealed record CheckpointFinished(long Sequence, string Path, bool IsBroken = false) : JournalRecord(Sequence, Path);

/// <summary>The manifest of a checkpoint is in the store, or was removed from it because files of the checkpoint were.</summary>
internal sealed record CheckpointPublished(long Sequence, string Path, bool IsGone = false) : JournalRecord(Sequence, Path);

/// <summary>All sequence numbers up to this one were given out.</summary>
internal sealed record SequenceGiven(long Sequence) : JournalRecord(Sequence, "");
