using Microsoft.AspNetCore.Http;

namespace Trestle.WeightsGateway.Serving;

/// <summary>Counts requests that have no whole answer yet, so that a server can end after them.</summary>
/// <param name="answer">Answers a request.</param>
/// <param name="time">Clock of the wait.</param>
public sealed class InFlight(RequestDelegate answer, TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(50);
    private int _count;

    /// <summary>How many there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Answers, counted.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _count);
        try
        {
            await answer(context);
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }

    /// <summary>Complete when there are none, or when the time is over.</summary>
    public async Task EndAsync(TimeSpan limit)
    {
        var began = time.GetTimestamp();
        while (Count > 0 && time.GetElapsedTime(began) < limit) await Task.Delay(Every, time);
    }
}
