using System.Globalization;

namespace Trestle.CacheMount.Native;

/// <summary>What the kernel tells of other processes' threads, by proc(5).</summary>
internal static class Threads
{
    private const ulong Kill = 1UL << (9 - 1);

    /// <summary>Whether a thread is gone or has a KILL pending, which is also how the kernel ends one by any signal that nobody handles.</summary>
    /// <param name="id">As this process sees it; 0 is one that it can't see, which counts as killed.</param>
    public static bool IsKilled(uint id)
    {
        try
        {
            return id == 0 || IsKilled(File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/status")));
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>As above, by the lines of a thread's <c>status</c>.</summary>
    public static bool IsKilled(IEnumerable<string> status) => status
        .Where(line => line.StartsWith("SigPnd:", StringComparison.Ordinal) || line.StartsWith("ShdPnd:", StringComparison.Ordinal))
        .Any(line => ulong.TryParse(line.AsSpan("SigPnd:".Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var pending) && (pending & Kill) != 0);
}
