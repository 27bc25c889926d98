using System.Text;

namespace Trestle.Bridge.Login;

/// <summary>What a login shell said instead of running a script, fit to be shown: its last line, without control characters.</summary>
internal static class ShellWords
{
    private const int Longest = 200;

    /// <summary>Null when it said nothing.</summary>
    public static string? Of(ReadOnlySpan<byte> noise)
    {
        var text = Encoding.UTF8.GetString(noise[Math.Max(0, noise.Length - 4096)..]);
        var line = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault();
        if (line is null) return null;
        var clean = string.Concat(line.Where(c => !char.IsControl(c) && !char.IsSurrogate(c)));
        return clean.Length == 0 ? null : clean.Length <= Longest ? clean : clean[..Longest];
    }
}
