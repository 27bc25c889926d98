namespace Trestle.CacheMount.Flush;

/// <summary>
/// How many parts may be under way: one more for every window of successes, half when the store asks to slow down. Answers to
/// parts that were sent before the last halving do not halve again. Not safe for several threads.
/// </summary>
/// <param name="first">Parts at the start.</param>
/// <param name="most">Most parts.</param>
internal sealed class Congestion(int first, int most)
{
    private int _successes;

    /// <summary>Parts that may be under way now; at least one.</summary>
    public int Limit { get; private set; } = first;

    /// <summary>Changes with every halving; a part remembers it from when it was sent.</summary>
    public int Epoch { get; private set; }

    /// <summary>A part arrived.</summary>
    public void Succeeded()
    {
        if (++_successes < Limit) return;
        _successes = 0;
        Limit = Math.Min(Limit + 1, most);
    }

    /// <summary>The store asked to slow down.</summary>
    /// <param name="epoch">When the part was sent.</param>
    public void SlowedDown(int epoch)
    {
        if (epoch != Epoch) return;
        Limit = Math.Max(1, Limit / 2);
        _successes = 0;
        Epoch++;
    }
}
