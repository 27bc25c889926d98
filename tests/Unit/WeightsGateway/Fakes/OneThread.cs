namespace Trestle.WeightsGateway.Tests.Fakes;

/// <summary>
/// All that goes on after an await goes on here, on the thread that drains, in the order in which it could. When nothing is left
/// everybody waits for time, so that whoever drains may let it go on: nothing is ever late.
/// </summary>
internal sealed class OneThread : SynchronizationContext, IDisposable
{
    private readonly SynchronizationContext? _before = Current;
    private readonly Queue<(SendOrPostCallback Call, object? State)> _left = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;

    public OneThread() => SetSynchronizationContext(this);

    /// <summary>Runs all that can go on.</summary>
    public void Drain()
    {
        while (_left.TryDequeue(out var next)) next.Call(next.State);
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (Environment.CurrentManagedThreadId != _thread) throw new InvalidOperationException("something goes on on another thread: virtual time can't wait for it");
        _left.Enqueue((d, state));
    }

    public void Dispose() => SetSynchronizationContext(_before);
}
