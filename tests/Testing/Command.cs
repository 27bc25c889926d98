using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Trestle.Testing;

/// <summary>How a command ended, and what it said.</summary>
public sealed record CommandResult(string CommandLine, int ExitCode, string Out, string Error)
{
    /// <summary>This result, or an exception that shows it when the exit code is another one.</summary>
    public CommandResult ShouldExit(int code) =>
        ExitCode == code ? this : throw new InvalidOperationException($"expected exit code {code.ToString(CultureInfo.InvariantCulture)} of\n{this}");

    public override string ToString() => $"$ {CommandLine}\n{Out}{Error}exit code {ExitCode}";
}

/// <summary>A command as a user types it: started as a process of its own, output captured while it runs.</summary>
public sealed class Command : IAsyncDisposable
{
    private readonly Process process;
    private readonly string line;
    private readonly StringBuilder output = new();
    private readonly StringBuilder error = new();

    private Command(Process process, string line)
    {
        this.process = process;
        this.line = line;
    }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public string Out => Text(output);

    public string Error => Text(error);

    public static Command Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? directory = null)
    {
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = directory ?? "",
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        var command = new Command(new Process { StartInfo = start }, string.Join(' ', [Path.GetFileName(program), .. start.ArgumentList]));
        command.process.OutputDataReceived += (_, data) => Append(command.output, data.Data);
        command.process.ErrorDataReceived += (_, data) => Append(command.error, data.Data);
        command.process.Start();
        command.process.StandardInput.Close();
        command.process.BeginOutputReadLine();
        command.process.BeginErrorReadLine();
        return command;
    }

    public static async Task<CommandResult> RunAsync(string program, IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null, TimeSpan? timeout = null, string? directory = null)
    {
        await using var command = Start(program, arguments, environment, directory);
        return await command.EndAsync(timeout);
    }

    /// <summary>Waits for the end; past the time (2 minutes when not given) it is killed and its output shown.</summary>
    public async Task<CommandResult> EndAsync(TimeSpan? timeout = null)
    {
        using var limit = new CancellationTokenSource(timeout ?? TimeSpan.FromMinutes(2));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException late)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"did not end in time:\n$ {line}\n{Out}{Error}", late);
        }

        return new CommandResult(line, process.ExitCode, Out, Error);
    }

    public void Signal(string name) => Processes.Signal(process.Id, name);

    public ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        process.Dispose();
        return ValueTask.CompletedTask;
    }

    private static void Append(StringBuilder to, string? line)
    {
        if (line is not null)
        {
            lock (to)
            {
                to.Append(line).Append('\n');
            }
        }
    }

    private static string Text(StringBuilder from)
    {
        lock (from)
        {
            return from.ToString();
        }
    }
}
