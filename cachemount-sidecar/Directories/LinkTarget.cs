using System.Text;

namespace Trestle.CacheMount.Directories;

/// <summary>Where a symbolic link may lead: by a relative path to what is in the storage. Others, absolute ones among them, say nothing elsewhere and may do harm.</summary>
internal static class LinkTarget
{
    /// <summary>Longest target, in bytes.</summary>
    public const int Longest = 4095;

    /// <summary>Whether it leads nowhere out of the storage. After a name there is no way up: a link on the way could turn it.</summary>
    /// <param name="path">Of the link, below the storage.</param>
    /// <param name="target">What it says.</param>
    public static bool StaysInside(string path, string target)
    {
        if (target.Length == 0 || target[0] == '/' || target.Contains('\0', StringComparison.Ordinal)) return false;
        var parts = target.Split('/').Where(part => part is not ("" or ".")).ToList();
        var ups = parts.TakeWhile(part => part == "..").Count();
        return ups <= path.Count(c => c == '/') && !parts.Skip(ups).Contains("..");
    }

    /// <summary>Reads one that was stored; false when it is none that may be made.</summary>
    public static bool TryRead(string path, ReadOnlySpan<byte> bytes, out string target)
    {
        target = bytes.Length <= Longest ? Encoding.UTF8.GetString(bytes) : "";
        return StaysInside(path, target);
    }
}
