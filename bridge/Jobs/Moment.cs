namespace Trestle.Bridge.Jobs;

/// <summary>Now, by two clocks.</summary>
/// <param name="Wall">What people read; somebody may set it at any time.</param>
/// <param name="Steady">Since some moment in the past; only ever goes on. All that is waited for is measured by it.</param>
internal readonly record struct Moment(DateTimeOffset Wall, TimeSpan Steady)
{
    /// <summary>Now.</summary>
    public static Moment Of(TimeProvider time) => new(time.GetUtcNow(), SteadyOf(time));

    /// <summary>Now by the steady clock alone.</summary>
    public static TimeSpan SteadyOf(TimeProvider time) => time.GetElapsedTime(0);

    /// <summary>What the steady clock said at a time by the other one that was written down; never later than now.</summary>
    public TimeSpan Then(DateTimeOffset written) => Wall > written ? Steady - (Wall - written) : Steady;
}
