namespace Trestle.Runtime;

/// <summary>
/// How long a lease keeps others out, and how its holder keeps it. The holder ends its work before others may begin: the
/// renewal deadline is two thirds of the duration.
/// </summary>
public sealed record LeaseTiming
{
    private LeaseTiming(TimeSpan duration) => Duration = duration;

    /// <summary>15 s: a leader that dies without a word is replaced after 15 to 20 s.</summary>
    public static LeaseTiming Default { get; } = new(TimeSpan.FromSeconds(15));

    /// <summary>How long a lease that doesn't change keeps others out.</summary>
    public TimeSpan Duration { get; }

    /// <summary>How long a term goes on without a renewal.</summary>
    public TimeSpan RenewDeadline => Duration * (10 / 15d);

    /// <summary>Between two looks at the lease.</summary>
    public TimeSpan RetryPeriod => Duration * (2 / 15d);

    /// <summary>Longest wait for one answer: a hanging request must leave time for another before the deadline.</summary>
    public TimeSpan AnswerLimit => Duration * (4 / 15d);

    /// <summary>All times in proportion to a duration of whole seconds, as a Lease holds it; at least 3.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 3.</exception>
    public static LeaseTiming OfSeconds(int seconds)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(seconds, 3);
        return new LeaseTiming(TimeSpan.FromSeconds(seconds));
    }
}
