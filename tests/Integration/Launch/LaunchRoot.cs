using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Launch;

/// <summary>What a main container finds under /trestle, in a directory of the test.</summary>
internal sealed class LaunchRoot : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public LaunchRoot(string run, string? setup = null)
    {
        foreach (var (name, text) in Scripts.Of(new TrainingJobSpec { Run = run, Setup = setup }))
        {
            File.SetUnixFileMode(_directory.Write($"scripts/{name}", text), (UnixFileMode)0x1ED);
        }

        Environment([]);
    }

    public string TerminationMessage => File.ReadAllText(_directory["termination"]);

    public string this[string name] => _directory[name];

    public void Write(string name, string text) => _directory.Write(name, text);

    public void Environment(IEnumerable<KeyValuePair<string, string>> variables) => _directory.Write("run/env", LaunchEnvironment.Render(variables));

    /// <summary>As with recovery.hangTimeout.</summary>
    public LaunchRoot Watched()
    {
        Environment([new("TRESTLE_HEARTBEAT_FILE", this["run/heartbeat"])]);
        return this;
    }

    public Task<CommandResult> RunAsync(string shell = "dash", params (string Name, string Value)[] environment)
    {
        var command = Start(shell, environment);
        return EndAsync(command);
    }

    public Command Start(string shell = "dash", params (string Name, string Value)[] environment)
    {
        _directory.Write("termination", "");
        var variables = environment.ToDictionary(variable => variable.Name, variable => (string?)variable.Value);
        (variables["TRESTLE_ROOT"], variables["TRESTLE_TERMINATION_LOG"]) = (_directory.FullName, _directory["termination"]);
        return Command.Start(shell, [_directory["scripts/launch.sh"]], variables, _directory.FullName);
    }

    /// <summary>Waits until the script has made the file.</summary>
    public Task UntilThereAsync(string name) => Condition.UntilAsync($"{name} is there", () => File.Exists(this[name]));

    public void Dispose() => _directory.Dispose();

    private static async Task<CommandResult> EndAsync(Command command)
    {
        await using (command)
        {
            return await command.EndAsync(TimeSpan.FromSeconds(30));
        }
    }
}
