using Microsoft.Extensions.Time.Testing;

namespace Trestle.Runtime.Tests;

/// <summary>A clock whose wall time can be off; its monotonic time and its timers are those of another.</summary>
internal sealed class AdjustableClock(FakeTimeProvider steady) : TimeProvider
{
    public TimeSpan WallOffset { get; set; }

    public override long TimestampFrequency => steady.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => steady.GetUtcNow() + WallOffset;

    public override long GetTimestamp() => steady.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => steady.CreateTimer(callback, state, dueTime, period);
}
