using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Fuse;

/// <summary>Requests that have to wait for something: they are answered later, from elsewhere, so that others go on. A user's signal ends the wait.</summary>
internal sealed class LateAnswers(ILogger log) : IDisposable
{
    /// <summary>What a handler gives whose answer comes later.</summary>
    public const int Later = -1;

    private readonly ConcurrentDictionary<ulong, CancellationTokenSource> _waiting = new();
    private readonly ConcurrentBag<FuseReply> _spare = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Requests that wait now.</summary>
    public int Count => _waiting.Count;

    /// <summary>Answers when the work is done.</summary>
    /// <param name="unique">Of the request.</param>
    /// <param name="device">Where the request came from.</param>
    /// <param name="work">Makes the answer; gives 0 or an error.</param>
    public int Run(ulong unique, FuseDevice device, Func<FuseReply, CancellationToken, Task<int>> work)
    {
        var cancel = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        _waiting[unique] = cancel;
        _ = Task.Run(() => AnswerAsync(unique, device, work, cancel));
        return Later;
    }

    /// <summary>Whoever asked has been sent a signal.</summary>
    public void Interrupt(ulong unique)
    {
        if (_waiting.TryGetValue(unique, out var cancel)) _ = cancel.CancelAsync();
    }

    public void Dispose()
    {
        _stop.Cancel();
        while (_spare.TryTake(out var reply)) reply.Dispose();
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
}
