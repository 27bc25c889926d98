namespace Trestle.Cli;

/// <summary>An answer to the user: one sentence that says what to do, and the exit code.</summary>
internal sealed class CliException(string message, int exitCode = ExitCode.Error, Exception? cause = null) : Exception(message, cause)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>Goes away by itself: no connection, too many requests, a server that is restarting.</summary>
    public bool IsPassing { get; init; }

    /// <summary>More of the same kind: every error of a file, not the first alone.</summary>
    public IReadOnlyList<string> Also { get; init; } = [];

    public static CliException Usage(string message) => new(message, Cli.ExitCode.Usage);

    public static CliException NotFound(string message) => new(message, Cli.ExitCode.NotFound);
}
