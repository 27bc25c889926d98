using Trestle.CacheMount.Journal;

namespace Trestle.CacheMount.Flush;

/// <summary>An operation under way.</summary>
/// <param name="operation">What is to be done.</param>
/// <param name="since">When it was taken in.</param>
/// <param name="stop">Ends all.</param>
internal sealed class FlushJob(Operation operation, long since, CancellationToken stop)
{
    private readonly CancellationTokenSource _cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);

    public Operation Operation => operation;

    public long Since => since;

    /// <summary>Ends this one.</summary>
    public CancellationToken Token => _cancel.Token;

    /// <summary>Whether its content may be on its way.</summary>
    public bool IsStarted { get; set; }

    /// <summary>What went wrong last; null when it goes on.</summary>
    public string? Trouble { get; set; }

    /// <summary>Ends it; what follows from that runs elsewhere.</summary>
    public void Cancel() => _ = _cancel.CancelAsync();
}

/// <summary>Somebody waits until everything up to a number is done.</summary>
internal sealed class FlushWaiter
{
    public long Target { get; set; }

    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
