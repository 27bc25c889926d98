using System.Globalization;
using Microsoft.Extensions.Logging;
using Trestle.CacheMount.Checkpoints;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Fuse;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount;

/// <summary>
/// A directory whose files go to a store behind the user's back, and all that belongs to it: journal, engine, front, eviction. One
/// process at a time serves a cache; the next one goes on where it was left.
/// </summary>
internal sealed class CachedMount : IFlushOwner, IShareSource, IAsyncDisposable
{
    private static readonly TimeSpan SpaceEvery = TimeSpan.FromSeconds(5);

    private readonly MountSettings _settings;
    private readonly TimeProvider _time;
    private readonly FileStream _claim;
    private readonly Book _book;
    private readonly Publisher _publisher;
    private readonly IObjectStore _store;
    private readonly FuseFront? _fuse;
    private readonly string _root;
    private readonly CheckpointRules _rules;
    private readonly CancellationTokenSource _stop = new();
    private Task _watchingSpace = Task.CompletedTask;
    private Task _sharing = Task.CompletedTask;
    private Task _tryingOut = Task.CompletedTask;
    private StoreTraits? _traits;
    private long _aside;

    private CachedMount(MountSettings settings, IObjectStore store, FileStream claim, TimeProvider time, ILogger log)
    {
        (_settings, _store, _claim, _time) = (settings, store, claim, time);
        var writer = $"{settings.Writer}-{Identity()}";
        _rules = new CheckpointRules(settings.Checkpoints);
        _book = Book.Open(Path.Combine(settings.State, "journal"), time);
        if (_book.DamagedBytes > 0) MountLog.Damaged(log, _book.DamagedBytes);
        Space = new SpaceState(0, 0, 0, 0, IsFull: false);
        (_fuse, FrontReason) = FuseFront.TryMount(settings, store, _book, this, time, log);
        _root = _fuse?.Root ?? settings.Files;
        var manifests = new ManifestStore(store, writer, settings.Run, settings.Attempt);
        if (settings.Nodes > 1) Shares = new ShareBoard(new WriterRank(settings.Rank, settings.Nodes, settings.Run, settings.Attempt), settings.Writer, store, manifests, _book, this, time, log);
        _publisher = new Publisher(_root, settings, manifests, Shares, _book, time);
        Engine = new FlushEngine(_root, new ObjectWriter(writer, settings.Writer) { Run = settings.Run, Attempt = settings.Attempt, Rank = settings.Rank }, store, TraitsAsync, _book, this, settings.Flush, time, log);
        Front = new TreeFront(_root, (ITreeSource?)_fuse?.Source ?? new TreeWatcher(_root), _book, Engine, _rules, settings.Front, time) { AreShared = settings.Nodes > 1 };
    }

    /// <summary>Sends files.</summary>
    public FlushEngine Engine { get; }

    /// <summary>Watches files.</summary>
    public TreeFront Front { get; }

    /// <summary>How the user's directory is served.</summary>
    public FrontKind FrontKind => _fuse is null ? FrontKind.Directory : FrontKind.Fuse;

    /// <summary>Why it is served so.</summary>
    public string FrontReason { get; }

    /// <summary>The file system; null when it is a plain directory.</summary>
    public FuseFront? Fuse => _fuse;

    /// <summary>What the other ranks say of checkpoints; null when there are none.</summary>
    public ShareBoard? Shares { get; }

    /// <summary>How full the cache is, as it was last looked at.</summary>
    public SpaceState Space { get; private set; }

    /// <summary>Paths that are given up last.</summary>
    public IReadOnlyCollection<string> Pinned { get; private set; } = [];

    /// <summary>What is to be done and what is done.</summary>
    public Book Book => _book;

    /// <summary>Why the journal is not on disk; null when it is.</summary>
    public string? JournalTrouble => _book.Trouble;

    /// <summary>Starts to serve a cache.</summary>
    /// <exception cref="IOException">The directory can't be used, or another process serves it.</exception>
    public static CachedMount Start(MountSettings settings, IObjectStore store, TimeProvider time, ILogger log)
    {
        Libc.IgnoreLeaseSignals();
        Directory.CreateDirectory(Path.Combine(settings.State, "aside"));
        var claim = Claim(Path.Combine(settings.State, "lock"));
        BindTo(store.Name, Path.Combine(settings.State, "store"));
        FuseFront.CleanUp(settings, log);
        Directory.CreateDirectory(settings.Files);
        var mount = new CachedMount(settings, store, claim, time, log);
        mount.PutBack(log);
        mount._tryingOut = Task.Run(mount.TryOutAsync);
        mount.Engine.Start();
        mount.LookAtSpace();
        mount._fuse?.Start(mount.Front);
        mount.Front.Start();
        mount._watchingSpace = Task.Run(() => mount.WatchSpaceAsync(mount._stop.Token));
        if (mount.Shares is { } shares) mount._sharing = Task.Run(() => shares.RunAsync(settings.ShareEvery, mount._stop.Token));
        return mount;
    }

    /// <summary>Waits until everything that was closed before this call is in the store, and the manifests of finished checkpoints are.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        await Front.SettleAsync().WaitAsync(ct);
        await Engine.FlushAsync(ct);
    }

    /// <summary>As <see cref="FlushAsync"/>, when nothing more will be written: the other ranks wait no longer for this one.</summary>
    public async Task FinishAsync(CancellationToken ct)
    {
        await Front.SettleAsync().WaitAsync(ct);
        Shares?.End();
        await FlushAsync(ct);
        await (Shares?.EndedAsync(ct) ?? Task.CompletedTask);
    }

    /// <summary>Brings a file to the store as it is now, and waits until it and all that was closed before it are there.</summary>
    /// <exception cref="IOException">The store can't take it.</exception>
    public async Task StoreNowAsync(string path, CancellationToken ct)
    {
        if (await Front.StoreNowAsync(path)) await Engine.FlushAsync(ct);
        if (NameRules.Refusal(path) is { } reason) throw new IOException($"{path} can't be stored: {reason}");
    }

    /// <summary>Keeps what is at or below a path as long as there is anything else to give up.</summary>
    public void Pin(string path) => Pinned = [.. Pinned, path];

    /// <summary>Gives up clean local copies at or below a path.</summary>
    /// <returns>Bytes given up.</returns>
    public long Evict(string path) => Evict(CachedFiles().Where(file => NameRules.IsAtOrBelow(file.Path, path)).Where(file => file.IsClean));

    /// <summary>Ours.</summary>
    public string State => _settings.State;

    /// <summary>The user's directory.</summary>
    public string Files => _settings.Files;

    /// <summary>Whether a path is a checkpoint, or lies in one.</summary>
    public bool IsInCheckpoint(string path) => _rules.Of(path) is not null;

    /// <summary>Whether the cache has, had or is about to change what the store has of a path.</summary>
    public bool Knows(string path) => _book.Read(ledger => ledger.StoredFiles.ContainsKey(path) || ledger.PendingOf(path) is not null);

    /// <summary>What the store has of files that are here, as far as is known.</summary>
    public IReadOnlyList<(string Path, Stored Stored)> Stored() => _book.Read(ledger => ledger.StoredFiles.Where(known => !known.Value.IsEvicted && ledger.KeyOf(known.Key) == known.Key).Select(known => (known.Key, known.Value)).ToList());

    /// <summary>Whether an object of the store is to be fetched: the cache has nothing of its path, or what the store had before it. What is dirty is not replaced.</summary>
    public bool Wants(string path, string etag) => Libc.Stat(Path.Combine(_root, path)) is { } there
        ? _book.Read(ledger => ledger.PendingOf(path) is null && ledger.KeyOf(path) == path && ledger.StoredFiles.GetValueOrDefault(path) is { } stored && stored.ETag != etag && stored.File.Proves(there.File))
        : !Knows(path);

    /// <summary>Gives up local copies of what somebody else has removed from the store.</summary>
    public int Forget(IEnumerable<(string Path, Stored Stored)> gone) => Front.Forget(gone, Aside);

    /// <summary>Whether the cache has, or had, all these objects as the store has them, by key and ETag.</summary>
    public bool Has(IEnumerable<(string Key, string ETag)> objects) => _book.Read(ledger => objects.All(one => ledger.StoredFiles.GetValueOrDefault(one.Key)?.ETag == one.ETag));

    /// <summary>Whether so many bytes have room.</summary>
    /// <param name="bytes">About to come.</param>
    /// <param name="mayEvict">True: what is clean may go for them, but only when that is enough.</param>
    public bool MakeRoom(long bytes, bool mayEvict)
    {
        LookAtSpace();
        if (Fits(bytes)) return true;
        if (!mayEvict || Space.Used - CachedFiles().Where(file => file is { IsClean: true, IsWanted: false }).Sum(file => file.Bytes) + bytes > Space.Size) return false;
        LookAtSpace(bytes);
        return Fits(bytes);
    }

    private bool Fits(long bytes) => Space.Used + bytes <= Space.Size && bytes <= Space.Free;

    /// <summary>Looks how full the cache is and gives up what may go.</summary>
    public void LookAtSpace() => LookAtSpace(0);

    // More bytes are about to come.
    private void LookAtSpace(long more)
    {
        var files = CachedFiles();
        var free = new DriveInfo(_settings.Cache).AvailableFreeSpace;
        var used = files.Sum(file => file.Bytes);
        // Without a size of its own the cache leaves a twentieth of the disk free.
        var size = _settings.Size > 0 ? Math.Min(_settings.Size, used + free) : used + free - (new DriveInfo(_settings.Cache).TotalSize / 20);
        var (high, low) = ((long)(size * 0.9), (long)(size * 0.8));
        var going = EvictionPlanner.Plan(files, high - more, low - more).ToHashSet(StringComparer.Ordinal);
        used -= Evict(files.Where(file => going.Contains(file.Path)));
        if (_fuse is not null)
        {
            if (used + _fuse.ContentBytes > high) _fuse.TrimContents();
            used += _fuse.ContentBytes;
        }

        Space = new SpaceState(size, used, files.Where(file => !file.IsClean).Sum(file => file.Bytes), free, IsFull: used > high);
    }

    /// <summary>Waits until the cache is not full.</summary>
    public async Task WaitForSpaceAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500), _time);
        do LookAtSpace();
        while (Space.IsFull && await timer.WaitForNextTickAsync(ct));
    }

    /// <inheritdoc/>
    public Task RecheckAsync(string path) => Front.RecheckAsync(path);

    /// <inheritdoc/>
    public Task<Publication> PublishAsync(Publish operation, CancellationToken ct) => _publisher.PublishAsync(operation, ct);

    /// <inheritdoc/>
    public async Task<OwnFiles?> FilesOfAsync(string checkpoint)
    {
        await Front.CatchUpAsync();
        if (Front.IsWaiting(checkpoint)) return null;
        if (_publisher.IsBroken(checkpoint)) return new OwnFiles([], IsBroken: true);
        var (files, outcome) = _publisher.FilesOf(checkpoint);
        return outcome == Publication.Published || (outcome == Publication.Gone && Libc.Stat(Path.Combine(_root, checkpoint)) is null && !Front.Knows(checkpoint)) ? new OwnFiles(files) : null;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string>? Unlisted()
    {
        var adopted = Front.Adopted;
        return _book.Read(ledger => ledger.Pending.Any(operation => operation is not Publish)
            ? null
            : ledger.StoredFiles.Keys.Select(_rules.Of).OfType<string>().Distinct(StringComparer.Ordinal).Where(name => !ledger.Published.ContainsKey(name) && !adopted.ContainsKey(name)).ToList());
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_watchingSpace, _sharing, _tryingOut).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_fuse is not null) await _fuse.DisposeAsync();
        Front.Dispose();
        await Engine.DisposeAsync();
        Shares?.Dispose();
        await _book.DisposeAsync();
        await _claim.DisposeAsync();
        _stop.Dispose();
    }

    private static FileStream Claim(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException busy)
        {
            throw new IOException($"another process serves this cache ({busy.Message}); give each its own directory", busy);
        }
    }

    // What is clean is so for one store only.
    private static void BindTo(string store, string path)
    {
        if (!File.Exists(path)) File.WriteAllText(path, store);
        else if (File.ReadAllText(path) is var known && known != store) throw new IOException($"this cache is one of {known} and not of {store}; give each storage its own directory, or remove it when nothing in it is wanted any more");
    }

    // What is older than the first time that this cache was served is nobody's who writes at the same time.
    private async Task<StoreTraits> TraitsAsync(CancellationToken ct)
    {
        if (_traits is { } known) return known;
        var found = await StoreTraits.OfAsync(_store, Identity(), ct);
        var path = Path.Combine(_settings.State, "since");
        if (File.Exists(path) && DateTimeOffset.TryParse(await File.ReadAllTextAsync(path, ct), CultureInfo.InvariantCulture, out var since)) found = found with { Since = since };
        else if (found.Since is { } first) await File.WriteAllTextAsync(path, first.ToString("O", CultureInfo.InvariantCulture), ct);
        return _traits = found;
    }

    private async Task TryOutAsync()
    {
        try
        {
            await TraitsAsync(_stop.Token);
        }
        catch (Exception error) when (error is StoreException or IOException or OperationCanceledException)
        {
            // tried when it is needed
        }
    }

    // Tells what this cache wrote from what another one of the same name wrote.
    private string Identity()
    {
        var path = Path.Combine(_settings.State, "id");
        if (File.Exists(path) && File.ReadAllText(path) is { Length: 12 } known) return known;
        var made = Guid.NewGuid().ToString("N")[..12];
        File.WriteAllText(path, made);
        return made;
    }

    // Whatever was being given up when the last process ended is in the store; it is only left over.
    private void PutBack(ILogger log)
    {
        foreach (var left in Directory.GetFiles(Path.Combine(_settings.State, "aside"))) MountLog.LeftAside(log, left);
    }

    private List<CachedFile> CachedFiles()
    {
        // Of those that were fetched the newest came first.
        var adopted = Front.Adopted;
        var newest = _book.Read(ledger => ledger.Published.OrderBy(known => adopted.GetValueOrDefault(known.Key) == known.Value).ThenByDescending(known => adopted.GetValueOrDefault(known.Key) == known.Value ? -known.Value : known.Value).Select(known => known.Key).FirstOrDefault());
        return [.. TreeWalk.Files(_root).Where(file => file.Entry.Kind == EntryKind.File).Select(file => new CachedFile(
            file.Path,
            file.Entry.Blocks * 512,
            Math.Max(file.Entry.AccessedNs, file.Entry.File.ModifiedNs),
            _book.Read(ledger => ledger.PendingOf(file.Path) is null && ledger.StoredFiles.GetValueOrDefault(file.Path)?.File.Proves(file.Entry.File) == true),
            IsOpen: false, // the lease under which it is given up says so
            (newest is not null && _rules.Of(file.Path) == newest) || Pinned.Any(pinned => NameRules.IsAtOrBelow(file.Path, pinned))))];
    }

    private string Aside() => Path.Combine(_settings.State, "aside", string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{Interlocked.Increment(ref _aside)}"));

    private long Evict(IEnumerable<CachedFile> files) =>
        files.ToList().Where(file => Front.TryEvict(file.Path, Aside())).Sum(file => file.Bytes);

    private async Task WatchSpaceAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(SpaceEvery, _time);
        do
        {
            try
            {
                LookAtSpace();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // the disk is looked at again soon
            }
        }
        while (await timer.WaitForNextTickAsync(ct));
    }
}

/// <summary>How full a cache is.</summary>
/// <param name="Size">Bytes it may have.</param>
/// <param name="Used">Bytes it has.</param>
/// <param name="Dirty">Of these, not in the store yet.</param>
/// <param name="Free">Bytes free on its disk.</param>
/// <param name="IsFull">True: it is over its high mark and nothing more can be given up.</param>
internal sealed record SpaceState(long Size, long Used, long Dirty, long Free, bool IsFull)
{
    /// <summary>More bytes than this are too many.</summary>
    public long High => (long)(Size * 0.9);
}

/// <summary>Log lines of the mount.</summary>
internal static partial class MountLog
{
    [LoggerMessage(330, LogLevel.Warning, "{Bytes} bytes of the journal are damaged; whatever is not proven to be in the store is sent again")]
    public static partial void Damaged(ILogger log, long bytes);

    [LoggerMessage(331, LogLevel.Warning, "{Path} was left over when a local copy was given up; the store has it")]
    public static partial void LeftAside(ILogger log, string path);

    [LoggerMessage(332, LogLevel.Information, "serving {Files}, stored in {Store}; status at {Socket}")]
    public static partial void Serving(ILogger log, string files, string store, string socket);
}
