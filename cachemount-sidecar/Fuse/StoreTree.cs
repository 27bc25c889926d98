using Trestle.CacheMount.Journal;

namespace Trestle.CacheMount.Fuse;

/// <summary>A file that the store has and the cache has not.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="ETag">Of the object.</param>
/// <param name="ModifiedNs">When its content was last changed, as far as is known.</param>
internal sealed record StoreEntry(long Size, string ETag, long ModifiedNs)
{
    /// <summary>CRC-32 of the content, where we know it.</summary>
    public uint? Crc32 { get; init; }

    /// <summary>Permission bits.</summary>
    public int Mode { get; init; } = 0x1A4; // 0644

    /// <summary>Owner; the root's when null.</summary>
    public (uint User, uint Group)? Owner { get; init; }

    public static StoreEntry Of(Stored stored) => new(stored.File.Size, stored.ETag, stored.File.ModifiedNs) { Crc32 = stored.Crc32 };
}

/// <summary>Names that are shown though the cache has no file of them: given up for space, or written by others. Safe for several threads.</summary>
internal sealed class StoreTree
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, StoreEntry> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedSet<string>> _folders = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _removedIn = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _addedIn = new(StringComparer.Ordinal);
    private int _round;

    /// <summary>The file of a path; null when the store has none, or it is not ours to show.</summary>
    public StoreEntry? this[string path]
    {
        get
        {
            lock (_lock) return _files.GetValueOrDefault(path);
        }
    }

    /// <summary>Names of files in a directory.</summary>
    public IReadOnlyList<string> In(string directory)
    {
        lock (_lock) return _folders.TryGetValue(directory, out var names) ? [.. names] : [];
    }

    /// <summary>Files somewhere below a directory.</summary>
    public IReadOnlyList<string> Below(string directory)
    {
        lock (_lock) return [.. _files.Keys.Where(path => path.StartsWith(directory + "/", StringComparison.Ordinal))];
    }

    /// <summary>Shows a file.</summary>
    public void Add(string path, StoreEntry entry)
    {
        lock (_lock)
        {
            _removedIn.Remove(path);
            _addedIn[path] = _round;
            Put(path, entry);
        }
    }

    /// <summary>Shows it no more.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isGone">True: it was removed or replaced, and a listing that is under way does not bring it back.</param>
    public bool Remove(string path, bool isGone = true)
    {
        lock (_lock)
        {
            if (isGone) _removedIn[path] = _round;
            _addedIn.Remove(path);
            return Take(path);
        }
    }

    /// <summary>A look at the whole store begins.</summary>
    public int BeginListing()
    {
        lock (_lock) return ++_round;
    }

    /// <summary>What a look at the whole store found takes the place of what was known; what was added or removed meanwhile stays so.</summary>
    /// <param name="round">Its number.</param>
    /// <param name="found">What it found.</param>
    /// <param name="makeRoom">Makes the directories of a file that is new; false when it can't be shown.</param>
    public void EndListing(int round, IEnumerable<(string Path, StoreEntry Entry)> found, Func<string, bool> makeRoom)
    {
        lock (_lock)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (path, entry) in found)
            {
                if (_removedIn.GetValueOrDefault(path, -1) >= round - 1 || (!_files.ContainsKey(path) && !makeRoom(path))) continue;
                seen.Add(path);
                if (_files.GetValueOrDefault(path) is not { } known || known.ETag != entry.ETag) Put(path, entry);
            }

            foreach (var path in _files.Keys.Where(path => !seen.Contains(path) && _addedIn.GetValueOrDefault(path, -1) < round).ToList()) Take(path);
            foreach (var marks in new[] { _removedIn, _addedIn })
            {
                foreach (var path in marks.Where(mark => mark.Value < round).Select(mark => mark.Key).ToList()) marks.Remove(path);
            }
        }
    }

    private void Put(string path, StoreEntry entry)
    {
        _files[path] = entry;
        var (folder, name) = Split(path);
        if (!_folders.TryGetValue(folder, out var names)) _folders[folder] = names = new SortedSet<string>(StringComparer.Ordinal);
        names.Add(name);
    }

    private bool Take(string path)
    {
        if (!_files.Remove(path)) return false;
        var (folder, name) = Split(path);
        if (_folders[folder].Remove(name) && _folders[folder].Count == 0) _folders.Remove(folder);
        return true;
    }

    private static (string Folder, string Name) Split(string path) => path.LastIndexOf('/') is var slash and > 0 ? (path[..slash], path[(slash + 1)..]) : ("", path);
}
