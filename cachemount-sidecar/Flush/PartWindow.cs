namespace Trestle.CacheMount.Flush;

/// <summary>A place under way.</summary>
/// <param name="Epoch">Of the congestion when it was given.</param>
internal readonly record struct PartSlot(int Epoch);

/// <summary>How a part came out, as far as the window is concerned.</summary>
internal enum PartOutcome
{
    Arrived,
    SlowDown,
    Failed,
}

/// <summary>Gives places to parts of all files: the part of the earliest close first, as many at once as the store bears.</summary>
/// <param name="congestion">How many.</param>
internal sealed class PartWindow(Congestion congestion)
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<TaskCompletionSource<PartSlot>, (long Sequence, int Part)> _waiting = new();
    private int _underWay;

    /// <summary>Parts under way.</summary>
    public int UnderWay
    {
        get
        {
            lock (_lock) return _underWay;
        }
    }

    /// <summary>Parts that may be under way.</summary>
    public int Limit
    {
        get
        {
            lock (_lock) return congestion.Limit;
        }
    }

    /// <summary>Waits for a place.</summary>
    public async Task<PartSlot> EnterAsync(long sequence, int part, CancellationToken ct)
    {
        var place = new TaskCompletionSource<PartSlot>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _waiting.Enqueue(place, (sequence, part));
            Admit();
        }

        await using var cancelled = ct.Register(() => place.TrySetCanceled(ct));
        return await place.Task;
    }

    /// <summary>Gives the place back.</summary>
    public void Leave(PartSlot slot, PartOutcome outcome)
    {
        lock (_lock)
        {
            _underWay--;
            if (outcome == PartOutcome.Arrived) congestion.Succeeded();
            if (outcome == PartOutcome.SlowDown) congestion.SlowedDown(slot.Epoch);
            Admit();
        }
    }

    // Whoever gave up waiting takes no place.
    private void Admit()
    {
        while (_underWay < congestion.Limit && _waiting.TryDequeue(out var next, out _))
        {
            if (next.TrySetResult(new PartSlot(congestion.Epoch))) _underWay++;
        }
    }
}
