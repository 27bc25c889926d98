namespace Trestle.Bridge.Login;

/// <summary>
/// The keys that hosts are pinned to, from a known_hosts text as sshd(8) describes it. Stricter than ssh: a port other than 22
/// must be in the line, and lines of certificate authorities are not used.
/// </summary>
internal sealed class KnownHosts
{
    private readonly IReadOnlyList<Line> _lines;

    private KnownHosts(IReadOnlyList<Line> lines) => _lines = lines;

    /// <summary>Lines that can't be read are left out, as ssh does: they trust nobody.</summary>
    public static KnownHosts Parse(string text) => new([.. text.Split('\n').Select(Read).OfType<Line>()]);

    public HostKeyVerdict Judge(string host, int port, ReadOnlySpan<byte> key)
    {
        var name = NameOf(host, port);
        var (isPinned, isHostKnown) = (false, false);
        foreach (var line in _lines)
        {
            if (!line.Hosts.Matches(name)) continue;
            var isSame = key.SequenceEqual(line.Key);
            // Wherever it stands, a revocation wins.
            if (line.IsRevoked && isSame) return HostKeyVerdict.Revoked;
            if (line.IsRevoked) continue;
            isHostKnown = true;
            isPinned |= isSame;
        }

        return isPinned ? HostKeyVerdict.Known : isHostKnown ? HostKeyVerdict.Changed : HostKeyVerdict.Unknown;
    }

    /// <summary>Types of the keys that a host is pinned to, e.g. ssh-ed25519: what it should be asked for first.</summary>
    public IReadOnlySet<string> TypesOf(string host, int port)
    {
        var name = NameOf(host, port);
        return _lines.Where(line => !line.IsRevoked && line.Hosts.Matches(name)).Select(line => line.Type).ToHashSet();
    }

    private static string NameOf(string host, int port) => (port == 22 ? host : $"[{host}]:{port}").ToLowerInvariant();

    private static Line? Read(string text)
    {
        var words = text.Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0 || words[0][0] == '#') return null;
        var marker = words[0][0] == '@' ? words[0] : null;
        if (marker is not null and not "@revoked") return null;
        var fields = marker is null ? words : words[1..];
        if (fields.Length < 3 || HostPatterns.Parse(fields[0]) is not { } hosts) return null;
        var key = new byte[fields[2].Length];
        return Convert.TryFromBase64String(fields[2], key, out var length) ? new Line(marker is not null, hosts, fields[1], key[..length]) : null;
    }

    private sealed record Line(bool IsRevoked, HostPatterns Hosts, string Type, byte[] Key);
}
