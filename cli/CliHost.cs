using System.Collections;

namespace Trestle.Cli;

/// <summary>Everything a command touches outside itself, so that a test can stand in for the terminal and the shell.</summary>
internal sealed record CliHost
{
    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    public required TextReader In { get; init; }

    public required IReadOnlyDictionary<string, string> Variables { get; init; }

    public required string WorkingDirectory { get; init; }

    /// <summary>Standard output is a terminal: tables with lines and colour, redrawn by --watch.</summary>
    public bool IsTerminal { get; init; }

    /// <summary>Columns of the terminal; unlimited when piped.</summary>
    public int Width { get; init; } = int.MaxValue;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>NO_COLOR (any value) and TERM=dumb turn colour off.</summary>
    public bool Colour => IsTerminal && Variable("NO_COLOR") is null && Variable("TERM") != "dumb";

    public bool Debug => Variable("TRESTLE_DEBUG") is "1" or "true";

    public string? Variable(string name) => Variables.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    public string FullPath(string path) => Path.GetFullPath(path, WorkingDirectory);

    public static CliHost OfProcess()
    {
        var terminal = !Console.IsOutputRedirected;
        return new CliHost
        {
            Out = new StreamWriter(Console.OpenStandardOutput(), bufferSize: 4096) { AutoFlush = true },
            Error = new StreamWriter(Console.OpenStandardError(), bufferSize: 1024) { AutoFlush = true },
            In = new StreamReader(Console.OpenStandardInput()),
            Variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal),
            WorkingDirectory = Environment.CurrentDirectory,
            IsTerminal = terminal,
            Width = terminal ? TerminalWidth() : int.MaxValue,
        };
    }

    private static int TerminalWidth()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
