using Microsoft.Extensions.Logging;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Fuse;

/// <summary>
/// The user's directory as a file system of our own over the cache's. What the store has and the cache has not is shown and read when it
/// is wanted; writers wait while the cache is full.
/// </summary>
internal sealed class FuseFront : IAsyncDisposable
{
    private static readonly TimeSpan FirstListing = TimeSpan.FromSeconds(20);
    private readonly FuseMountPoint _mount;
    private readonly FuseTree _tree;
    private readonly StoreListing _listing;
    private readonly MountSettings _settings;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private Task _looking = Task.CompletedTask;

    private FuseFront(FuseMountPoint mount, int root, MountSettings settings, IObjectStore store, Book book, CachedMount owner, TimeProvider time, ILogger log)
    {
        (_mount, _settings, _log) = (mount, settings, log);
        var stored = new StoreTree();
        var gate = new WriteGate(() => owner.Space, () => book.Read(ledger => ledger.Pending.Count > 0), owner.LookAtSpace, time);
        _tree = new FuseTree(root, mount.Device, stored, new LazyFiles(Path.Combine(settings.State, "lazy"), store, stored, time), gate, new LateAnswers(time, log), new EventOrder<FuseEvent>())
        {
            StoreNow = settings.Mode == MountMode.Mount ? owner.StoreNowAsync : null,
            NoPassthroughWanted = settings.AllowsPassthrough ? null : "it was not wanted",
        };
        _listing = new StoreListing(root, store, book, stored, time, log);
        Source = new FuseSource(mount, _tree, log);
    }

    /// <summary>Tells what happens.</summary>
    public FuseSource Source { get; }

    /// <summary>The cache's own directory, past the mount.</summary>
    public string Root => Posix.PathOf(_tree.Root);

    public string MountedAt => _mount.Path;

    /// <summary>Why the kernel does not serve files by itself; null when it does.</summary>
    public string? NoPassthrough => _tree.NoPassthrough;

    /// <summary>Writers that wait for room.</summary>
    public int WaitingWriters => _tree.Gate.Waiting;

    /// <summary>Bytes on disk of what is read from the store.</summary>
    public long ContentBytes => _tree.Contents.Bytes;

    /// <summary>Mounts where the settings want it and the machine allows it.</summary>
    /// <returns>The front, or null; and why.</returns>
    /// <exception cref="IOException">The settings want nothing else, and it can't be.</exception>
    public static (FuseFront? Front, string Reason) TryMount(MountSettings settings, IObjectStore store, Book book, CachedMount owner, TimeProvider time, ILogger log)
    {
        if (settings.FrontKind == FrontKind.Directory && settings.Mode == MountMode.Mount) throw new IOException("--mode Mount needs the FUSE front: a close in a plain directory waits for nobody; take --front Fuse, or --mode MountCached");
        if (settings.FrontKind == FrontKind.Directory) return (null, "it was asked for");
        // Opened before the mount hides it.
        var root = Posix.Open(Posix.Here, settings.Files, Posix.PathOnly | Posix.Directory | Posix.CloseOnExec, 0);
        if (root < 0) throw new IOException($"{settings.Files} can't be opened (error {Posix.Error})");
        try
        {
            var at = settings.MountAt ?? settings.Files;
            Directory.CreateDirectory(at);
            return (new FuseFront(FuseMountPoint.Mount(at), root, settings, store, book, owner, time, log), settings.FrontKind == FrontKind.Fuse ? "it was asked for" : "FUSE is allowed here");
        }
        catch (IOException refused)
        {
            _ = Posix.Close(root);
            if (settings.FrontKind == FrontKind.Fuse || settings.Mode == MountMode.Mount) throw new IOException($"the FUSE front can't be had: {refused.Message}", refused);
            return (null, $"FUSE can't be had: {refused.Message}");
        }
    }

    /// <summary>Takes away what a process that was killed has left mounted.</summary>
    public static void CleanUp(MountSettings settings, ILogger log)
    {
        foreach (var path in new[] { settings.Files, settings.MountAt }.OfType<string>())
        {
            if (FuseMountPoint.CleanUp(path)) FuseLog.CleanedUp(log, path);
        }
    }

    /// <summary>Begins to look at the store. Nobody sees the directory before it was looked at once.</summary>
    public void Start(TreeFront files)
    {
        _tree.Contents.Empty();
        _tree.Contents.Adopt = (path, content, crc) => files.TryAdopt(path, content.Place, content.Entry.ETag, crc);
        _listing.ShowKnown();
        var first = Task.Run(() => _listing.LookAsync(settle: null, _stop.Token));
        Source.Ready = first.WaitAsync(FirstListing);
        _looking = first.ContinueWith(_ => _listing.LookAsync(_settings.ListEvery, Source.DrainAsync, _stop.Token), TaskScheduler.Default).Unwrap();
        FuseLog.Mounted(_log, MountedAt, NoPassthrough ?? "on");
    }

    /// <summary>Brings a file, or all below a directory, into the cache.</summary>
    /// <returns>How many files.</returns>
    /// <exception cref="StoreException">One can't be had.</exception>
    public async Task<int> HydrateAsync(string path, CancellationToken ct)
    {
        IReadOnlyList<string> paths = _tree.Stored[path] is null ? _tree.Stored.Below(path) : [path];
        await Parallel.ForEachAsync(paths, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = ct }, async (file, each) => await _tree.Contents.BringBackAsync(file, each));
        return paths.Count;
    }

    /// <summary>Gives up what was read from the store and nobody reads now.</summary>
    public void TrimContents() => _tree.Contents.Trim();

    /// <summary>Ends what goes on by itself; the mount goes with the source.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }
}
