using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Trestle.Cli.Commands;
using Trestle.Cli.Connection;

namespace Trestle.Cli;

/// <summary>From arguments to an exit code: parse, run, and turn what went wrong into one sentence.</summary>
internal static class CliProgram
{
    /// <param name="args">Arguments without the program's name.</param>
    /// <param name="host">Terminal, environment and clock.</param>
    /// <param name="cancellation">Cancelled by Ctrl-C.</param>
    public static async Task<int> RunAsync(string[] args, CliHost host, CancellationToken cancellation)
    {
        try
        {
            return await InvokeAsync(args, host, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (IOException error) when (error.InnerException is System.Net.Sockets.SocketException { ErrorCode: 32 } || error.Message == "Broken pipe")
        {
            // `trestle queue | head` is not an error.
            return ExitCode.Ok;
        }
        catch (Exception error)
        {
            var answer = error as CliException ?? ErrorTranslation.Translate(error);
            foreach (var line in answer.Also.Prepend(answer.Message))
            {
                await host.Error.WriteLineAsync("trestle: " + Output.Printable.Line(line));
            }

            if (host.Debug)
            {
                await host.Error.WriteLineAsync(error.ToString());
            }

            return answer.ExitCode;
        }
    }

    private static async Task<int> InvokeAsync(string[] args, CliHost host, CancellationToken cancellation)
    {
        var split = Array.IndexOf(args, "--");
        string[] own = split < 0 ? args : args[..split];
        string[] trailing = split < 0 ? [] : args[(split + 1)..];
        var parsed = CommandTree.Build(own, trailing, host).Parse(own, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction || (parsed.Errors.Count > 0 && parsed.Action is not HelpAction))
        {
            await host.Error.WriteLineAsync($"trestle: {Output.Printable.Line(parsed.Errors[0].Message)}");
            await host.Error.WriteLineAsync($"see: {CommandPath(parsed)} --help");
            return ExitCode.Usage;
        }

        if (split >= 0 && !CommandTree.TakesTrailingCommand(parsed.CommandResult.Command))
        {
            throw CliException.Usage($"'--' and a command can only follow 'trestle launch'; leave out '-- {string.Join(' ', trailing)}'");
        }

        var invocation = new InvocationConfiguration
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        return await parsed.InvokeAsync(invocation, cancellation);
    }

    private static string CommandPath(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (System.CommandLine.Parsing.SymbolResult? at = parsed.CommandResult; at is System.CommandLine.Parsing.CommandResult command; at = at.Parent)
        {
            names.Push(command.Command is RootCommand ? "trestle" : command.Command.Name);
        }

        return string.Join(' ', names);
    }
}
