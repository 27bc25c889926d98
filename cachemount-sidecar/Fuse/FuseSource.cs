using Microsoft.Extensions.Logging;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Fuse;

/// <summary>The tree as its own file system tells of it: exactly, in order, and without watching anything.</summary>
internal sealed class FuseSource : ITreeSource
{
    private const int Tick = 100;
    private readonly FuseMountPoint _mount;
    private readonly FuseServer _server;
    private readonly FuseTree _tree;
    private readonly ILogger _log;
    private readonly Thread _thread;
    private Action<TreeChange, string> _changed = (_, _) => { };
    private Action _tick = () => { };
    private Task _serving = Task.CompletedTask;
    private volatile bool _stop;

    public FuseSource(FuseMountPoint mount, FuseTree tree, ILogger log)
    {
        (_mount, _tree, _log) = (mount, tree, log);
        _server = new FuseServer(tree, log);
        _thread = new Thread(TellAll) { IsBackground = true, Name = "fuse-events" };
    }

    public string? Trouble => null;

    /// <summary>Waited for before anybody is answered.</summary>
    public Task Ready { get; set; } = Task.CompletedTask;

    public void Start(Action<TreeChange, string> changed, Action tick)
    {
        (_changed, _tick) = (changed, tick);
        _thread.Start();
        _serving = ServeAsync();
    }

    // To look into the mount would do it too; but a process that waits for itself can't be killed.
    public async Task DrainAsync()
    {
        await _serving;
        var (number, drain) = (_tree.NextHandle(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _tree.Drains[number] = drain;
        while (!_stop && TrySendBack(number) is { } isSent)
        {
            if (isSent) break;
            await Task.Yield(); // all of them are closed, and that is on its way to us
        }

        if (_stop) throw new IOException($"{_mount.Path} is not mounted any more");
        await drain.Task;
    }

    public bool MayHaveWriter(string path) => _tree.Nodes.HasWriter(path);

    public void Leaving(string path, Stored stored, Entry entry) => _tree.Stored.Add(path, StoreEntry.Of(stored) with { Mode = entry.Mode, Owner = (entry.User, entry.Group) });

    public void Stayed(string path) => _tree.Stored.Remove(path, isGone: false);

    public void Dispose()
    {
        _stop = true;
        _tree.Late.Dispose(); // whoever waits is told to end
        foreach (var drain in _tree.Drains.Values) drain.TrySetCanceled();
        _mount.Unmount();
        SpinWait.SpinUntil(() => _serving.IsCompleted);
        _server.Dispose();
        if (_thread.IsAlive) _thread.Join();
        _mount.Dispose();
        _tree.Contents.Dispose();
        _ = Posix.Close(_tree.Root);
    }

    // Only a file that is open can have been closed without our knowing. Null: there is none, so all is known.
    private bool? TrySendBack(ulong number)
    {
        var isAnyOpen = false;
        foreach (var node in _tree.Files.Values.Where(handle => handle.Writes).Select(handle => handle.Node.Id).Distinct())
        {
            var error = _tree.Device.SendBack(number, node);
            if (error == 0) return true;
            if (error is Errno.NoDevice or Errno.NotConnected) throw new IOException($"{_mount.Path} is not mounted any more");
            isAnyOpen = true;
        }

        if (isAnyOpen) return false;
        if (_tree.Drains.TryRemove(number, out var drain)) _tree.Events.Tell(new FuseEvent(TreeChange.Lost, "", () => drain.TrySetResult()));
        return null;
    }

    private async Task ServeAsync()
    {
        await Ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_stop) _server.Start();
    }

    private void TellAll()
    {
        var ticked = Environment.TickCount64;
        while (!_stop)
        {
            try
            {
                if (_tree.Events.TryNext(out var next, Tick)) Tell(next!);
                if (Environment.TickCount64 - ticked < Tick) continue;
                ticked = Environment.TickCount64;
                _tick();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                FuseLog.NotDone(_log, error.Message); // what was to be told is found when the whole tree is looked at
            }
        }
    }

    private void Tell(FuseEvent happened)
    {
        if (happened.Reached is { } reached) reached();
        else if (happened.Change != TreeChange.TreeMoved) _changed(happened.Change, happened.Path);
        else TellTree(happened.Path);
    }

    private void TellTree(string path)
    {
        foreach (var (file, _) in CloseOrder.Of(TreeWalk.Files(Posix.PathOf(_tree.Root), path), file => file.Path, file => file.Entry.File.ModifiedNs)) _changed(TreeChange.Appeared, file);
        _changed(TreeChange.DirectoryMoved, path);
    }
}
