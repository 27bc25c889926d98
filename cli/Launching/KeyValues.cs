namespace Trestle.Cli.Launching;

/// <summary>--env K=V, --env K and --secret K.</summary>
internal static class KeyValues
{
    /// <summary>K=V as given; K alone takes the value from the user's own environment.</summary>
    public static IReadOnlyDictionary<string, string> Env(IEnumerable<string> given, CliHost host)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in given)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            var name = Name(equals < 0 ? text : text[..equals], "--env");
            values[name] = equals < 0 ? FromEnvironment(name, "--env", host) : text[(equals + 1)..];
        }

        return values;
    }

    /// <summary>Names only: a value on a command line is seen by everyone on the machine.</summary>
    public static IReadOnlyDictionary<string, string> Secrets(IEnumerable<string> given, CliHost host) =>
        given.ToDictionary(
            text => text.Contains('=', StringComparison.Ordinal)
                ? throw CliException.Usage($"--secret takes a name only; export {Name(text[..text.IndexOf('=', StringComparison.Ordinal)], "--secret")} in your shell and give --secret with the name alone")
                : Name(text, "--secret"),
            text => FromEnvironment(text, "--secret", host),
            StringComparer.Ordinal);

    /// <summary>Lines of K=V, blank lines and # comments left out.</summary>
    public static IEnumerable<string> File(string path)
    {
        try
        {
            return System.IO.File.ReadAllLines(path).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#');
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"can't read {path} ({error.Message.TrimEnd('.')}); correct --env-file");
        }
    }

    private static string Name(string name, string option) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(character => char.IsAsciiLetterOrDigit(character) || character == '_')
            ? name
            : throw CliException.Usage($"{option} needs a name of letters, digits and '_', e.g. {option} LR=3e-4; got '{name}'");

    private static string FromEnvironment(string name, string option, CliHost host) =>
        host.Variables.TryGetValue(name, out var value)
            ? value
            : throw CliException.Usage($"{option} {name}: {name} is not set in your environment; export it first");
}
