namespace Trestle.Local.ApiServer;

internal enum ChangeKind { Added, Modified, Deleted, Bookmark }

/// <summary>One committed change of one resource. <see cref="Current"/> of a deletion carries the version of the deletion.</summary>
internal sealed record WatchEvent(ChangeKind Kind, long ResourceVersion, string Resource, StoredObject? Previous, StoredObject? Current);
