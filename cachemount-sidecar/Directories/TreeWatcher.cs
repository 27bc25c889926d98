using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Directories;

/// <summary>What happened in a tree.</summary>
internal enum TreeChange
{
    /// <summary>A file was closed after writing, or came into place by rename.</summary>
    Closed,

    /// <summary>A file has a name now; whether it is finished is not said.</summary>
    Appeared,

    /// <summary>A file was removed.</summary>
    Removed,

    /// <summary>A file or directory was moved away; what it was moved to, if it is in the tree, was said before.</summary>
    MovedAway,

    /// <summary>A directory came into place by rename; its files were said before.</summary>
    DirectoryMoved,

    /// <summary>A directory came into place by rename; nothing was said of its files.</summary>
    TreeMoved,

    /// <summary>A file was removed that only the store had.</summary>
    Forgotten,

    /// <summary>Events were lost: look at everything.</summary>
    Lost,
}

/// <summary>
/// Watches a whole tree on a thread of its own. Directories that appear are watched and then read, so that nothing made in them
/// meanwhile is missed. Paths are relative to the root, with slashes.
/// </summary>
internal sealed class TreeWatcher : ITreeSource
{
    private const int Tick = 100;
    private readonly string _root;
    private Action<TreeChange, string> _changed = (_, _) => { };
    private Action _tick = () => { };
    private readonly Inotify _inotify = new();
    private readonly Dictionary<int, string> _paths = [];
    private readonly List<string> _movedAway = [];
    private readonly Lock _lock = new();
    private readonly List<TaskCompletionSource> _drains = [];
    private readonly Thread _thread;
    private volatile bool _stop;

    /// <param name="root">The directory.</param>
    public TreeWatcher(string root)
    {
        _root = root;
        _thread = new Thread(Watch) { IsBackground = true, Name = "watcher" };
    }

    /// <inheritdoc/>
    public string? Trouble { get; private set; }

    /// <inheritdoc/>
    public void Start(Action<TreeChange, string> changed, Action tick)
    {
        (_changed, _tick) = (changed, tick);
        AddTree("", []);
        _thread.Start();
    }

    /// <inheritdoc/>
    public bool MayHaveWriter(string path) => true;

    /// <inheritdoc/>
    public void Leaving(string path, Journal.Stored stored, Entry entry)
    {
        // a file that is given up is not seen any more
    }

    /// <inheritdoc/>
    public void Stayed(string path)
    {
        // nothing was done
    }

    /// <inheritdoc/>
    public Task DrainAsync()
    {
        var drain = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock) _drains.Add(drain);
        if (_stop) drain.TrySetCanceled();
        return drain.Task;
    }

    public void Dispose()
    {
        _stop = true;
        if (_thread.IsAlive) _thread.Join();
        lock (_lock) _drains.ForEach(drain => drain.TrySetCanceled());
        _inotify.Dispose();
    }

    private void Watch()
    {
        while (!_stop)
        {
            List<TaskCompletionSource> drains;
            lock (_lock) drains = [.. _drains];
            var events = _inotify.Wait(drains.Count > 0 ? 0 : Tick) ? _inotify.Read() : [];
            events.ForEach(TellSafely);
            if (events.Count == 0 || !events[^1].Mask.HasFlag(InotifyMask.MovedFrom)) TellMovedAway();
            if (events.Count == 0) drains.ForEach(Drained);
            _tick();
        }
    }

    // What can't be looked at now is found when everything is.
    private void TellSafely(InotifyEvent happened)
    {
        try
        {
            Tell(happened);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _changed(TreeChange.Lost, "");
        }
    }

    // After what it was moved to, so that the store never has neither; that is said right behind it.
    private void TellMovedAway()
    {
        foreach (var path in _movedAway) _changed(TreeChange.MovedAway, path);
        _movedAway.Clear();
    }

    private void Drained(TaskCompletionSource drain)
    {
        lock (_lock) _drains.Remove(drain);
        drain.TrySetResult();
    }

    private void Tell(InotifyEvent happened)
    {
        if (happened.Mask.HasFlag(InotifyMask.Overflow)) _changed(TreeChange.Lost, "");
        if (happened.Mask.HasFlag(InotifyMask.Ignored)) _paths.Remove(happened.Watch);
        if (happened.Name.Length == 0 || !_paths.TryGetValue(happened.Watch, out var directory)) return;
        var path = directory.Length == 0 ? happened.Name : $"{directory}/{happened.Name}";
        var isDirectory = happened.Mask.HasFlag(InotifyMask.IsDirectory);
        if (happened.Mask.HasFlag(InotifyMask.MovedFrom))
        {
            if (isDirectory) ForgetTree(path);
            if (isDirectory && Directory.Exists(Path.Combine(_root, path))) TellTree(path); // another one has taken its place
            _movedAway.Add(path);
        }
        else if (happened.Mask.HasFlag(InotifyMask.Delete))
        {
            if (!isDirectory) _changed(TreeChange.Removed, path);
        }
        else if (isDirectory)
        {
            TellTree(path);
            if (happened.Mask.HasFlag(InotifyMask.MovedTo)) _changed(TreeChange.DirectoryMoved, path);
        }
        else
        {
            _changed(happened.Mask.HasFlag(InotifyMask.Create) ? TreeChange.Appeared : TreeChange.Closed, path);
        }
    }

    // What was made before it was watched is told in the order of its times, which is the best there is.
    private void TellTree(string path)
    {
        var files = new List<(string Path, long ModifiedNs)>();
        AddTree(path, files);
        foreach (var file in CloseOrder.Of(files, file => file.Path, file => file.ModifiedNs)) _changed(TreeChange.Appeared, file.Path);
    }

    private void AddTree(string path, List<(string Path, long ModifiedNs)> files)
    {
        try
        {
            if (_inotify.Add(Path.Combine(_root, path)) is not { } watch) return;
            _paths[watch] = path;
        }
        catch (IOException full)
        {
            Trouble = full.Message;
            return;
        }

        foreach (var (name, entry) in TreeWalk.Entries(Path.Combine(_root, path)))
        {
            var below = path.Length == 0 ? name : $"{path}/{name}";
            if (entry.Kind == EntryKind.Directory) AddTree(below, files);
            else files.Add((below, entry.File.ModifiedNs));
        }
    }

    private void ForgetTree(string path)
    {
        foreach (var (watch, _) in _paths.Where(known => NameRules.IsAtOrBelow(known.Value, path)).ToList())
        {
            _inotify.Remove(watch);
            _paths.Remove(watch);
        }
    }
}
