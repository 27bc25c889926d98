using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;

namespace Trestle.Runtime.Tests;

/// <summary>Moves a virtual clock while other threads work.</summary>
internal static class VirtualTime
{
    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(30);

    /// <summary>Moves the clock step by step until something is so; gives how far it moved.</summary>
    public static async Task<TimeSpan> UntilAsync(this FakeTimeProvider time, Func<bool> so, double stepSeconds = 0.25)
    {
        var (began, origin) = (time.GetUtcNow(), Stopwatch.GetTimestamp());
        while (!so())
        {
            if (Stopwatch.GetElapsedTime(origin) > GiveUp) throw new TimeoutException($"still not so after {time.GetUtcNow() - began} of virtual time");
            time.Advance(TimeSpan.FromSeconds(stepSeconds));
            await Task.Delay(1, TestContext.Current.CancellationToken); // lets the others run; correctness does not hang on how long
        }

        return time.GetUtcNow() - began;
    }

    /// <summary>Moves the clock that far in small steps.</summary>
    public static async Task PassAsync(this FakeTimeProvider time, double seconds, double stepSeconds = 0.25)
    {
        var until = time.GetUtcNow() + TimeSpan.FromSeconds(seconds);
        await time.UntilAsync(() => time.GetUtcNow() >= until, stepSeconds);
    }

    /// <summary>Waits for other threads with the clock standing still.</summary>
    public static Task SettledAsync(this FakeTimeProvider time, Func<bool> so) => time.UntilAsync(so, 0);
}
