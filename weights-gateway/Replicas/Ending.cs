namespace Trestle.WeightsGateway.Replicas;

/// <summary>Something that comes once, for those that hold its token.</summary>
internal sealed class Ending
{
    private CancellationTokenSource? _source;

    private Ending(CancellationTokenSource source) => (_source, Token) = (source, source.Token);

    /// <summary>Cancelled when it has come. It may be held and asked after that.</summary>
    public CancellationToken Token { get; }

    /// <summary>One that has not come.</summary>
    public static Ending Ahead() => new(new CancellationTokenSource());

    /// <summary>It has come.</summary>
    public void Come()
    {
        if (Interlocked.Exchange(ref _source, null) is not { } source) return;
        source.Cancel();
        source.Dispose();
    }
}
