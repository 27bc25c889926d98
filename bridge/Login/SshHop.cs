using System.Globalization;

namespace Trestle.Bridge.Login;

/// <summary>One host on the way to a login node, or the login node itself.</summary>
internal sealed record SshHop(string User, string Host, int Port)
{
    private const int DefaultPort = 22;

    /// <summary>The hosts of a login in the order of contact; the last one is the login node.</summary>
    /// <exception cref="FormatException">A jump host is not [user@]host[:port]; the message says which.</exception>
    public static IReadOnlyList<SshHop> Of(ClusterLogin login) =>
        [.. login.JumpHosts.Select(text => Parse(text, login.User)), new SshHop(login.User, login.Host, login.Port)];

    /// <summary>Reads [user@]host[:port]; an IPv6 address with a port stands in brackets.</summary>
    public static SshHop Parse(string text, string defaultUser)
    {
        var at = text.LastIndexOf('@');
        var (user, rest) = at < 0 ? (defaultUser, text) : (text[..at], text[(at + 1)..]);
        var (host, port) = HostAndPort(rest);
        var isGood = user.Length > 0 && host.Length > 0 && host[0] != '-' && !host.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));
        return isGood && port is > 0 and <= 65535
            ? new SshHop(user, host, port.Value)
            : throw new FormatException($"jump host '{text}' is not of the form [user@]host[:port]");
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static (string Host, int? Port) HostAndPort(string text)
    {
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']');
            if (end < 0) return ("", null);
            var after = text[(end + 1)..];
            return (text[1..end], after.Length == 0 ? DefaultPort : after[0] == ':' ? PortOf(after[1..]) : null);
        }

        // More than one colon without brackets is a bare IPv6 address.
        var colon = text.IndexOf(':');
        return colon < 0 || colon != text.LastIndexOf(':') ? (text, DefaultPort) : (text[..colon], PortOf(text[(colon + 1)..]));
    }

    private static int? PortOf(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null;
}
