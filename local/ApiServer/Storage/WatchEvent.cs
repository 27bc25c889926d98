namespace Trestle.Local.ApiServer;

internal enum ChangeKind { Added, Modified, Deleted, Bookmark }

/// <summary>One committed change of one resource. <see cref="Current"/> of a deletion carries the version of the deletion.</summary>
internal sealed record WatchEvent(ChangeKind Kind, long ResourceVersion, string Resource, StoredObject? Previous, StoredObject? Current)
{
    private StoredObject? _left;

    /// <summary>What a client sees whose selection the object left: what it knew, at the version of the change. Made once for all of them.</summary>
    public StoredObject Left => _left ??= StoredObject.From(Previous!.Parse(), ResourceVersion);
}
