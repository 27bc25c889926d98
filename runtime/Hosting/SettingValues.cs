using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Trestle.Runtime;

/// <summary>What the settings were given, read as what they mean. Empty is as good as left out.</summary>
public sealed partial class SettingValues
{
    private readonly Dictionary<string, string> _flags;
    private readonly Func<string, string?> _variable;

    private SettingValues(Dictionary<string, string> flags, Func<string, string?> variable) => (_flags, _variable) = (flags, variable);

    /// <summary>Reads <c>--name value</c> and <c>--name=value</c>.</summary>
    /// <param name="program">What the program is called in messages, e.g. operator.</param>
    /// <param name="settings">All that there are.</param>
    /// <param name="arguments">The command line.</param>
    /// <param name="variable">The environment.</param>
    /// <exception cref="SettingException">A flag is unknown, given twice, or has no value.</exception>
    public static SettingValues Of(string program, IReadOnlyCollection<Setting> settings, IReadOnlyList<string> arguments, Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var flags = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var at = 0; at < arguments.Count; at++)
        {
            var parts = arguments[at].Split('=', 2);
            if (!settings.Any(setting => setting.Flag == parts[0])) throw new SettingException($"{parts[0]} is no flag of the {program}; --help lists them");
            var value = parts.Length == 2 ? parts[1] : at + 1 < arguments.Count ? arguments[++at] : throw new SettingException($"{parts[0]} needs a value behind it");
            if (!flags.TryAdd(parts[0], value)) throw new SettingException($"{parts[0]} is given twice; give it once");
        }

        return new SettingValues(flags, variable);
    }

    /// <summary>All settings, for people.</summary>
    public static string Help(string title, IEnumerable<Setting> settings) =>
        $"{title} Each setting is a flag or an environment variable; the flag wins.\n\n"
        + string.Concat(settings.Select(setting => $"  {setting.Flag,-24}{setting.Variable,-30}{setting.Help}{(setting.Default is { } value ? $" (default {value})" : "")}\n"));

    /// <summary>As it was given; null when it was not and has no default.</summary>
    public string? Text(Setting setting) => _flags.GetValueOrDefault(setting.Flag) ?? _variable(setting.Variable) switch
    {
        { } text when !string.IsNullOrWhiteSpace(text) => text.Trim(),
        _ => setting.Default,
    };

    /// <summary>true or false.</summary>
    public bool Flag(Setting setting) => Text(setting) switch
    {
        "true" => true,
        "false" => false,
        var other => throw Wrong(setting, "true or false", other),
    };

    /// <summary>A whole number within limits.</summary>
    public int Number(Setting setting, int least, int most) =>
        int.TryParse(Text(setting), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw Wrong(setting, $"a whole number from {least} to {most}", Text(setting));

    /// <summary>Whatever <paramref name="read"/> makes of it; null there means that it can't be used.</summary>
    /// <param name="setting">The setting.</param>
    /// <param name="wanted">What it must be, for the message: "a duration such as 90s".</param>
    /// <param name="read">Gets what was given.</param>
    public T Read<T>(Setting setting, string wanted, Func<string?, T?> read)
        where T : struct
    {
        ArgumentNullException.ThrowIfNull(read);
        return read(Text(setting)) ?? throw Wrong(setting, wanted, Text(setting));
    }

    /// <summary>One of an enum's names, in any case.</summary>
    public T Choice<T>(Setting setting)
        where T : struct, Enum =>
        Enum.TryParse<T>(Text(setting), ignoreCase: true, out var choice) && Enum.IsDefined(choice) && !char.IsDigit(Text(setting)![0])
            ? choice
            : throw Wrong(setting, $"one of {string.Join(", ", Enum.GetNames<T>())}", Text(setting));

    /// <summary>A name as of a namespace: at most 63 lower-case letters, digits and '-'.</summary>
    public string? Name(Setting setting) =>
        Text(setting) is not { } name || LabelName().IsMatch(name) ? Text(setting) : throw Wrong(setting, "a name of at most 63 lower-case letters, digits and '-'", name);

    /// <summary>Name of an image.</summary>
    public string? Image(Setting setting) =>
        Text(setting) is not { } image || !image.Any(char.IsWhiteSpace) ? Text(setting) : throw Wrong(setting, "an image without spaces, e.g. example/node:1.0", image);

    /// <summary>A path from the root on.</summary>
    public string? AbsolutePath(Setting setting) =>
        Text(setting) is not { } path || Path.IsPathFullyQualified(path) ? Text(setting) : throw Wrong(setting, "an absolute path", path);

    /// <summary>A file that is there.</summary>
    public string? ExistingFile(Setting setting) =>
        Text(setting) is not { } path || File.Exists(path) ? Text(setting) : throw new SettingException($"{setting.Both} names {path}, which is no file; give the path of a kubeconfig or leave it out");

    /// <summary>An address to listen on.</summary>
    /// <exception cref="SettingException">It is none, or none is given.</exception>
    public string Listen(Setting setting) => ListenOrNowhere(setting) ?? throw Wrong(setting, Address(setting), "");

    /// <summary>An address to listen on; null when none is given.</summary>
    public string? ListenOrNowhere(Setting setting)
    {
        if (Text(setting) is not { } text) return null;
        try
        {
            if (BindingAddress.Parse(text) is { Scheme: "http", PathBase: "", Host.Length: > 0, IsUnixPipe: false, Port: >= 0 and <= 65535 }) return text;
        }
        catch (FormatException)
        {
            // Told below.
        }

        throw Wrong(setting, Address(setting), text);
    }

    /// <summary>An address that others call.</summary>
    public string? Url(Setting setting) =>
        Text(setting) is not { } url || (Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri is { Scheme: "http" or "https", Query: "", Fragment: "" })
            ? Text(setting)
            : throw Wrong(setting, "an address that pods reach, e.g. http://trestle.trestle-system.svc:8090", url);

    private static string Address(Setting setting) => $"an address to listen on, e.g. {setting.Default ?? "http://*:8090"}";

    private static SettingException Wrong(Setting setting, string wanted, string? got) => new($"{setting.Both} must be {wanted}; got '{got}'");

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LabelName();
}
