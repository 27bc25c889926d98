using System.Text.RegularExpressions;

namespace Trestle.Bridge.Slurm;

/// <summary>Where the attempt directories of a cluster are.</summary>
internal static partial class WorkRoot
{
    private const string Default = "~/.trestle";

    /// <summary>The directory as a word of a script; null when the text is no path that is safe in scripts and in sbatch's file patterns.</summary>
    public static string? Word(string? text)
    {
        var path = string.IsNullOrEmpty(text) ? Default : text;
        if (!Path().IsMatch(path) || path.Split('/').Contains("..")) return null;
        return path.StartsWith('~') ? $"\"$HOME\"{path[1..]}" : path;
    }

    [GeneratedRegex("^(~|/[A-Za-z0-9._+=@-]+)(/[A-Za-z0-9._+=@-]+)*$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Path();
}
