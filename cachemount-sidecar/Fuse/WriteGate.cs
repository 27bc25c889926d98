namespace Trestle.CacheMount.Fuse;

/// <summary>
/// Holds writers back while the cache is full of what the store has not got yet. Nobody is held back when waiting can't help, for then
/// nothing is on its way to the store.
/// </summary>
/// <param name="space">How full it is, as it was last looked at.</param>
/// <param name="isDraining">Whether something is on its way to the store.</param>
/// <param name="look">Looks how full it is, and gives up what may go.</param>
/// <param name="time">The clock.</param>
internal sealed class WriteGate(Func<SpaceState> space, Func<bool> isDraining, Action look, TimeProvider time)
{
    private const long LookAfter = 64 << 20;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);
    private readonly Lock _lock = new();
    private long _written;
    private long _lookedAt;
    private int _isLooking;
    private int _waiting;

    /// <summary>Whether a writer has to wait now.</summary>
    public bool MustWait => (space() is { IsFull: true } || Used > space().High) && isDraining();

    /// <summary>Whether a disk that is full may have room later.</summary>
    public bool MayHelp => isDraining();

    /// <summary>Whether there is so much room that a file need not be watched while it grows.</summary>
    public bool HasPlenty => Used < space().Size / 2;

    /// <summary>Writers that are held back.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Something was written.</summary>
    public void Wrote(long bytes)
    {
        if (Interlocked.Add(ref _written, bytes) < LookAfter || Interlocked.Exchange(ref _isLooking, 1) == 1) return;
        _ = Task.Run(() =>
        {
            Look();
            Volatile.Write(ref _isLooking, 0);
        });
    }

    /// <summary>Waits until there is room.</summary>
    /// <param name="once">True: at least until it was looked at once more, for the disk said that there is none.</param>
    /// <param name="ct">Ends it.</param>
    public async Task WaitAsync(bool once, CancellationToken ct)
    {
        if (!once && !MustWait) return;
        Interlocked.Increment(ref _waiting);
        try
        {
            if (!once) Look();
            while (once || MustWait)
            {
                await Task.Delay(LookEvery, time, ct);
                Look();
                once = false;
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private long Used => space().Used + Interlocked.Read(ref _written);

    private void Look()
    {
        lock (_lock)
        {
            if (time.GetElapsedTime(_lookedAt) < LookEvery / 2) return;
            Interlocked.Exchange(ref _written, 0); // what is written from now on may be counted twice
            look();
            _lookedAt = time.GetTimestamp();
        }
    }
}
