using System.Globalization;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Fuse;

/// <summary>Files that are read from the store while they are not in the cache. One that has come as a whole becomes a file of the cache.</summary>
/// <param name="folder">Where their contents lie, on the file system of the cache; emptied at the start.</param>
/// <param name="store">Where they come from.</param>
/// <param name="tree">Names of what only the store has.</param>
/// <param name="time">The clock.</param>
internal sealed class LazyFiles(string folder, IObjectStore store, StoreTree tree, TimeProvider time) : IDisposable
{
    private const int MostBlocks = 16;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LazyFile> _files = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _places = new(MostBlocks);
    private long _made;

    /// <summary>Makes a whole content a file of the cache at a path; false: the path is taken.</summary>
    public Func<string, LazyFile, uint, bool> Adopt { get; set; } = (_, _, _) => false;

    /// <summary>Bytes on disk.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock) return _files.Values.Sum(file => Libc.Stat(file.Place)?.Blocks * 512 ?? 0);
        }
    }

    /// <summary>Forgets what a process before left.</summary>
    public void Empty()
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
    }

    /// <summary>Somebody reads a file; null when the store has none of this path.</summary>
    public LazyFile? Open(string path)
    {
        lock (_lock)
        {
            if (tree[path] is not { } entry) return null;
            if (!_files.TryGetValue(path, out var file) || file.Entry.ETag != entry.ETag)
            {
                if (file is { Users: 0 }) Drop(path, file); // another version is in the store now
                _files[path] = file = new LazyFile(Path.Combine(folder, (++_made).ToString(CultureInfo.InvariantCulture)), path, entry, store, _places, time);
            }

            file.Users++;
            return file;
        }
    }

    /// <summary>He reads it no more. What has come as a whole stays.</summary>
    public async Task CloseAsync(string? path, LazyFile file)
    {
        try
        {
            if (path is not null && file.IsWhole) await BringBackAsync(path, CancellationToken.None);
        }
        catch (Exception error) when (error is StoreException or IOException)
        {
            // it stays in the store
        }

        Leave(file);
    }

    /// <summary>Gives up the contents that nobody reads.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            foreach (var (path, file) in _files.Where(file => file.Value.Users == 0).ToList()) Drop(path, file);
        }
    }

    /// <summary>Makes a file of the store one of the cache; returns when it is, or when there is nothing to bring.</summary>
    /// <exception cref="StoreException">The store can't give it.</exception>
    public async Task BringBackAsync(string path, CancellationToken ct)
    {
        if (Open(path) is not { } file) return;
        try
        {
            var crc = await file.WaitAsync(ct);
            var about = file.Entry.Crc32 is null || file.Entry.Owner is null ? await store.HeadAsync(path, ct) : null;
            lock (_lock)
            {
                if (tree[path]?.ETag != file.Entry.ETag) return;
                Dress(file, about is null ? null : FileLook.Of(about.Metadata).Mode);
                if (Adopt(path, file, crc)) _files.Remove(path);
                tree.Remove(path);
            }
        }
        finally
        {
            Leave(file);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var file in _files.Values) file.Dispose();
            _files.Clear();
        }
    }

    // It is to look as it did.
    private static void Dress(LazyFile file, int? mode)
    {
        if (file.Entry.Owner is { } owner) _ = Posix.SetOwner(Posix.Here, file.Place, owner.User, owner.Group, 0);
        FileLook.Restore(file.Place, mode ?? file.Entry.Mode, file.Entry.ModifiedNs);
    }

    // What others may still want stays until its place is needed.
    private void Leave(LazyFile file)
    {
        lock (_lock)
        {
            if (--file.Users == 0 && !_files.ContainsValue(file)) Drop(null, file);
        }
    }

    private void Drop(string? path, LazyFile file)
    {
        if (path is not null) _files.Remove(path);
        file.Dispose();
        File.Delete(file.Place); // not there any more when it has become a file of the cache
    }
}
