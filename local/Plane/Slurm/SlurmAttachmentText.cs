using System.Globalization;
using System.Text.RegularExpressions;

namespace Trestle.Local.Plane.Slurm;

/// <summary>
/// [NAME=]local or [NAME=][ssh://][USER@]HOST[:PORT], then ?OPTION=VALUE&amp;… → an attachment. What is left out is as ssh has it: the user of this
/// machine, port 22, the first key of ~/.ssh that is there, ~/.ssh/known_hosts.
/// </summary>
/// <param name="user">Who the user is on this machine.</param>
/// <param name="home">The home directory.</param>
/// <param name="fullPath">Makes a path absolute, from where the command was typed.</param>
/// <param name="isFile">Whether there is such a file.</param>
public sealed partial class SlurmAttachmentText(string user, string home, Func<string, string> fullPath, Func<string, bool> isFile)
{
    private const string Scheme = "ssh://";
    private const string Form = "write NAME=ssh://USER@HOST, or NAME=local for commands on this machine";
    private static readonly string[] Options = ["key", "known-hosts", "jump", "namespace", "partition", "account", "qos", "work-root", "poll"];
    private static readonly string[] OfSsh = ["key", "known-hosts", "jump"];
    private static readonly string[] Keys = ["id_ed25519", "id_ecdsa", "id_rsa"];

    /// <summary>Reads one.</summary>
    /// <exception cref="FormatException">The text can't be used; the message is a sentence that says what to change.</exception>
    public SlurmAttachment Read(string text)
    {
        var mark = text.IndexOf('?', StringComparison.Ordinal);
        var (head, query) = mark < 0 ? (text, "") : (text[..mark], text[(mark + 1)..]);
        var equals = head.IndexOf('=', StringComparison.Ordinal);
        var place = head[(equals + 1)..];
        var options = Query(text, query);
        var found = place == "local" ? Here(text, options) : Remote(text, place, options);
        var name = equals >= 0 ? head[..equals] : found.Host is null ? "local" : found.Host.Split('.')[0];
        if (!ClusterName().IsMatch(name)) throw Wrong(text, equals >= 0 ? $"'{name}' is no name of a cluster (small letters, digits and -)" : $"it needs a name; write e.g. slurm={text}");
        return found with
        {
            Name = name,
            Namespaces = options["namespace"].ToList() is { Count: > 0 } namespaces ? namespaces : ["default"],
            Partition = Last(options, "partition"),
            Account = Last(options, "account"),
            Qos = Last(options, "qos"),
            WorkRoot = Last(options, "work-root"),
            Poll = Last(options, "poll"),
        };
    }

    private SlurmAttachment Here(string text, ILookup<string, string> options) =>
        OfSsh.FirstOrDefault(options.Contains) is { } ofSsh
            ? throw Wrong(text, $"{ofSsh} is for clusters that are reached by SSH; leave it out")
            : new SlurmAttachment { Name = "", User = user };

    private SlurmAttachment Remote(string text, string place, ILookup<string, string> options)
    {
        var rest = place.StartsWith(Scheme, StringComparison.Ordinal) ? place[Scheme.Length..] : place;
        if (Place().Match(rest) is not { Success: true } match) throw Wrong(text, Form);
        var port = match.Groups["port"].Success ? int.TryParse(match.Groups["port"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 0 : 22;
        if (port is < 1 or > 65535) throw Wrong(text, $"port {match.Groups["port"].Value} must be from 1 to 65535");
        return new SlurmAttachment
        {
            Name = "",
            Host = match.Groups["bracketed"].Success ? match.Groups["bracketed"].Value : match.Groups["host"].Value,
            Port = port,
            User = match.Groups["user"].Success ? match.Groups["user"].Value : user,
            KeyFile = Key(text, Last(options, "key")),
            KnownHostsFile = KnownHosts(text, Last(options, "known-hosts")),
            JumpHosts = [.. options["jump"]],
        };
    }

    private string Key(string text, string? given)
    {
        if (given is not null) return Existing(text, "key", given);
        return Keys.Select(name => Path.Combine(home, ".ssh", name)).FirstOrDefault(isFile)
            ?? throw Wrong(text, $"there is no private key in {Path.Combine(home, ".ssh")}; name one with ?key=FILE");
    }

    private string KnownHosts(string text, string? given)
    {
        if (given is not null) return Existing(text, "known-hosts", given);
        var usual = Path.Combine(home, ".ssh", "known_hosts");
        return isFile(usual) ? usual : throw Wrong(text, $"there is no file {usual} to know the login node by; log in once with ssh, or name a file with ?known-hosts=FILE");
    }

    private string Existing(string text, string option, string given)
    {
        var path = fullPath(given.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(home, given[2..]) : given);
        return isFile(path) ? path : throw Wrong(text, $"{option}: there is no file {path}");
    }

    private static ILookup<string, string> Query(string text, string query)
    {
        var pairs = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).ToList();
        foreach (var pair in pairs)
        {
            if (!Options.Contains(pair[0])) throw Wrong(text, $"'{pair[0]}' is no option of a cluster; they are {string.Join(", ", Options)}");
            if (pair.Length < 2 || pair[1].Length == 0) throw Wrong(text, $"{pair[0]} needs a value: {pair[0]}=…");
        }

        return pairs.ToLookup(pair => pair[0], pair => Uri.UnescapeDataString(pair[1]));
    }

    private static string? Last(ILookup<string, string> options, string name) => options[name].LastOrDefault();

    private static FormatException Wrong(string text, string why) => new($"--slurm {text}: {why}");

    [GeneratedRegex(@"^(?:(?<user>[A-Za-z0-9_][A-Za-z0-9_.@-]*)@)?(?:\[(?<bracketed>[0-9A-Fa-f:.]+)\]|(?<host>[A-Za-z0-9][A-Za-z0-9._-]*))(?::(?<port>[0-9]+))?/?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Place();

    [GeneratedRegex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    private static partial Regex ClusterName();
}
