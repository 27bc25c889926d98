using System.Globalization;

namespace Trestle.CacheMount.Native;

/// <summary>How a file looks besides its content: permission bits and time of change. Both are stored beside its object.</summary>
internal static class FileLook
{
    private const string Mode = "trestle-mode";
    private const string Modified = "trestle-mtime-ns";
    private const string Link = "trestle-link";
    private const int Permissions = 0x1FF;

    /// <summary>As it is stored.</summary>
    public static Dictionary<string, string> Metadata(Entry entry)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Modified] = entry.File.ModifiedNs.ToString(CultureInfo.InvariantCulture),
            [Mode] = Convert.ToString(entry.Mode, 8),
        };
        if (entry.Kind == EntryKind.Link) metadata[Link] = "1";
        return metadata;
    }

    /// <summary>Reads what was stored; null for what is not there. It may come from anybody: no bit but those of permissions.</summary>
    public static (int? Mode, long? ModifiedNs, bool IsLink) Of(IReadOnlyDictionary<string, string> metadata) => (
        metadata.GetValueOrDefault(Mode) is { Length: > 0 and <= 6 } mode && !mode.AsSpan().ContainsAnyExceptInRange('0', '7') ? Convert.ToInt32(mode, 8) & Permissions : null,
        long.TryParse(metadata.GetValueOrDefault(Modified), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var modified) ? modified : null,
        metadata.ContainsKey(Link));

    /// <summary>Makes a file look so; what is null stays as it is.</summary>
    public static unsafe void Restore(string path, int? mode, long? modifiedNs)
    {
        if (mode is { } bits) _ = Posix.SetMode(path, (uint)(bits & Permissions));
        if (modifiedNs is not { } ns) return;
        var times = stackalloc Posix.Timespec[2];
        times[0] = new Posix.Timespec(0, Posix.TimeOmitted);
        times[1] = new Posix.Timespec(Math.DivRem(ns, 1_000_000_000, out var rest) - (rest < 0 ? 1 : 0), rest < 0 ? rest + 1_000_000_000 : rest);
        _ = Posix.SetTimes(Posix.Here, path, times, Posix.NoFollowAt);
    }
}
