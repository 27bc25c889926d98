using System.Threading.Channels;

namespace Trestle.Local.Nodes.Agent;

/// <summary>A loop that runs its work soon after it is rung; any number of rings during a run make one more run.</summary>
internal sealed class Bell(TimeProvider time, TimeSpan settle)
{
    private readonly Channel<byte> _rings = Channel.CreateBounded<byte>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Asks for a run.</summary>
    public void Ring() => _rings.Writer.TryWrite(0);

    /// <summary>Runs until cancelled; also when nothing rang for <paramref name="atLeastEvery"/>.</summary>
    public Task RunAsync(Func<CancellationToken, Task> work, Action<Exception> failed, TimeSpan atLeastEvery, CancellationToken ct) =>
        RunAsync(async stop => { await work(stop); return atLeastEvery; }, failed, ct);

    /// <summary>Runs until cancelled; <paramref name="work"/> says how long to wait for a ring at most.</summary>
    public async Task RunAsync(Func<CancellationToken, Task<TimeSpan>> work, Action<Exception> failed, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var pause = TimeSpan.FromSeconds(1);
            try
            {
                _rings.Reader.TryRead(out _);
                pause = await work(ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                failed(e);
                Ring();
                await Task.Delay(pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            using var limit = new CancellationTokenSource(pause, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
            try
            {
                if (await _rings.Reader.WaitToReadAsync(both.Token)) await Task.Delay(settle, time, ct);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                // Nothing rang: run all the same.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
