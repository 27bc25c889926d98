using System.Diagnostics;
using System.Globalization;

namespace Trestle.Testing;

/// <summary>Waits for something to be so. The time given is when to give up, never how long it takes.</summary>
public static class Condition
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Asks again and again until the answer is not null, and returns it. An answer that fails counts as "not yet".</summary>
    public static async Task<T> ValueAsync<T>(string what, Func<Task<T?>> ask, TimeSpan? giveUp = null, Func<Task<string>>? explain = null)
        where T : class
    {
        var limit = giveUp ?? TimeSpan.FromSeconds(60);
        var started = Stopwatch.GetTimestamp();
        Exception? last = null;
        while (true)
        {
            try
            {
                if (await ask() is { } value)
                {
                    return value;
                }

                last = null;
            }
            catch (Exception error) when (error is IOException or HttpRequestException or OperationCanceledException or InvalidOperationException)
            {
                last = error;
            }

            if (Stopwatch.GetElapsedTime(started) > limit)
            {
                var details = explain is null ? "" : "\n" + await explain();
                throw new TimeoutException($"gave up after {limit.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s waiting until {what}{(last is null ? "" : $" ({last.Message})")}{details}", last);
            }

            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    public static Task UntilAsync(string what, Func<Task<bool>> ask, TimeSpan? giveUp = null, Func<Task<string>>? explain = null) =>
        ValueAsync(what, async () => await ask() ? "" : null, giveUp, explain);

    public static Task UntilAsync(string what, Func<bool> ask, TimeSpan? giveUp = null, Func<Task<string>>? explain = null) =>
        UntilAsync(what, () => Task.FromResult(ask()), giveUp, explain);
}
