using System.Text;
using System.Text.RegularExpressions;

namespace Trestle.CacheMount.Directories;

/// <summary>What a name says of a file.</summary>
internal static partial class NameRules
{
    private const int LongestKey = 1000;

    // Of an entry of a directory, in bytes.
    private const int LongestName = 255;

    /// <summary>Whether it looks like something that is still to be renamed, or like an editor's own.</summary>
    public static bool IsTemporary(string path) => path.Split('/').Any(part => Temporary().IsMatch(part));

    /// <summary>Whether a key is a path that stays below where it is put. Keys of others may say anything.</summary>
    public static bool IsSafe(string key) => key.Length > 0 && !key.Contains('\0', StringComparison.Ordinal) && key.Split('/').All(part => part is not ("" or "." or "..") && Encoding.UTF8.GetByteCount(part) <= LongestName);

    /// <summary>Whether a key of the store is one of a file of users.</summary>
    public static bool IsFile(string key) => IsSafe(key) && Refusal(key) is null;

    /// <summary>Why a store can't take a file of this name; null when it can.</summary>
    public static string? Refusal(string path)
    {
        if (path.Contains('\ufffd', StringComparison.Ordinal) || !Native.FileName.IsText(path)) return "its name is not UTF-8";
        if (path.Any(char.IsControl)) return "its name has control characters";
        if (path.StartsWith(".trestle", StringComparison.Ordinal)) return "names that begin with .trestle are taken";
        return Encoding.UTF8.GetByteCount(path) > LongestKey ? $"its path is longer than {LongestKey} bytes" : null;
    }

    // What editors, Python's tempfile, NFS and people who rename when they are done call their files. part-00000 is a name to stay.
    [GeneratedRegex(@"^(\.nfs[0-9a-f]+|\.~.*|~\$.*|#.*#|\.#.*|.*~|\..*\.sw[a-z]|\.?(tmp|temp)([._-].*|[a-z0-9_]{8})?|.*[._-](tmp|temp)([.][^.]+)?|.*\.(partial|incomplete|inprogress|writing)([._-].*)?|.*\.part)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Temporary();

    /// <summary>Whether a path is another, or lies in it.</summary>
    public static bool IsAtOrBelow(string path, string at) => path == at || path.StartsWith(at + "/", StringComparison.Ordinal);
}
