using System.CommandLine;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;

namespace Trestle.Cli.Commands;

internal static class SuspendCommand
{
    public static Command Build(CliHost host, bool suspend)
    {
        var cluster = new ClusterOptions();
        var names = new Argument<string[]>("name") { Description = "jobs", Arity = ArgumentArity.OneOrMore };
        var command = suspend
            ? new Command("suspend", "Stop jobs and give their GPUs back; 'resume' goes on from the last checkpoint.") { names }
            : new Command("resume", "Queue suspended jobs again.") { names };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var connection = cluster.Connect(parsed, host);
            foreach (var name in parsed.GetRequiredValue(names))
            {
                await SetAsync(connection, host, name, suspend, cancellation);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task SetAsync(Cluster cluster, CliHost host, string name, bool suspend, CancellationToken cancellation)
    {
        var found = await cluster.FindJobOrGroupAsync(name, cancellation);
        if (found.Object is not TrainingJob job)
        {
            throw CliException.Usage($"{name} is a group; {(suspend ? "suspend" : "resume")} its jobs by name (see: trestle queue)");
        }

        if (found.HasEnded)
        {
            throw new CliException($"{found.Label} has ended already ({found.Phase}); launch it again instead");
        }

        await cluster.SetSuspendAsync(job, suspend, cancellation);
        await host.Out.WriteLineAsync(suspend ? $"{found.Label} is being suspended; go on with: trestle resume {name}" : $"{found.Label} is queued again");
    }
}
