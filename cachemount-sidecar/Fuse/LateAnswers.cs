using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Fuse;

/// <summary>
/// Requests that have to wait for something: they are answered later, from elsewhere, so that others go on. Only a kill ends the wait, as
/// on NFS: programs do not expect that an alarm, or the end of a child, makes a read or a close of a file fail.
/// </summary>
internal sealed class LateAnswers(TimeProvider time, ILogger log) : IDisposable
{
    /// <summary>What a handler gives whose answer comes later.</summary>
    public const int Later = -1;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);
    private readonly ConcurrentDictionary<ulong, Wait> _waiting = new();
    private readonly ConcurrentBag<FuseReply> _spare = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Requests that wait now.</summary>
    public int Count => _waiting.Count;

    /// <summary>Answers when the work is done.</summary>
    /// <param name="asked">What the request begins with.</param>
    /// <param name="device">Where the request came from.</param>
    /// <param name="work">Makes the answer; gives 0 or an error.</param>
    public int Run(in Wire.InHeader asked, FuseDevice device, Func<FuseReply, CancellationToken, Task<int>> work)
    {
        var unique = asked.Unique;
        var wait = new Wait(asked.Process, CancellationTokenSource.CreateLinkedTokenSource(_stop.Token));
        _waiting[unique] = wait;
        _ = Task.Run(() => AnswerAsync(unique, device, work, wait.Cancel));
        return Later;
    }

    /// <summary>Whoever asked has been sent a signal. The kernel says so once, whatever comes after it.</summary>
    public void Interrupt(ulong unique)
    {
        if (_waiting.TryGetValue(unique, out var wait)) _ = Task.Run(() => EndWhenKilledAsync(unique, wait));
    }

    public void Dispose()
    {
        _stop.Cancel();
        while (_spare.TryTake(out var reply)) reply.Dispose();
    }

    // One in another container that we can't look into is taken for killed: it must be possible to end it.
    private async Task EndWhenKilledAsync(ulong unique, Wait wait)
    {
        using var timer = new PeriodicTimer(LookEvery, time);
        while (!Threads.IsKilled(wait.Thread))
        {
            await timer.WaitForNextTickAsync();
            if (!_waiting.TryGetValue(unique, out var now) || now != wait) return;
        }

        try
        {
            await wait.Cancel.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // answered at this moment
        }
    }

    private async Task AnswerAsync(ulong unique, FuseDevice device, Func<FuseReply, CancellationToken, Task<int>> work, CancellationTokenSource cancel)
    {
        if (!_spare.TryTake(out var reply)) reply = new FuseReply(device);
        reply.Device = device;
        reply.Clear();
        var error = await ErrorOfAsync(work, reply, cancel.Token);
        _waiting.TryRemove(unique, out _);
        device.Answer(reply.Finish(unique, error));
        _spare.Add(reply);
        cancel.Dispose();
    }

    private async Task<int> ErrorOfAsync(Func<FuseReply, CancellationToken, Task<int>> work, FuseReply reply, CancellationToken ct)
    {
        try
        {
            return await work(reply, ct);
        }
        catch (OperationCanceledException)
        {
            return Errno.Interrupted;
        }
        catch (BadRequestException)
        {
            return Errno.Invalid;
        }
        catch (StoreException error)
        {
            FuseLog.NotDone(log, error.Message);
            return Errno.Io;
        }
#pragma warning disable CA1031 // whatever it is, the user's process must not wait for ever
        catch (Exception error)
#pragma warning restore CA1031
        {
            FuseLog.NotDone(log, error.Message);
            return Errno.Io;
        }
    }

    private sealed record Wait(uint Thread, CancellationTokenSource Cancel);
}
