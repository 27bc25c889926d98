using System.CommandLine;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;
using Trestle.Operator.InferenceServices;

namespace Trestle.Cli.Commands;

internal static class CancelCommand
{
    public static Command Build(CliHost host)
    {
        var cluster = new ClusterOptions();
        var names = new Argument<string[]>("name") { Description = "jobs, groups or services", Arity = ArgumentArity.OneOrMore };
        var delete = new Option<bool>("--delete") { Description = "remove the objects too, so that the names are free again" };
        var command = new Command("cancel", "End jobs or groups wherever they run; what they wrote stays. A service is removed.") { names, delete };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var connection = cluster.Connect(parsed, host);
            foreach (var name in parsed.GetRequiredValue(names))
            {
                await CancelAsync(connection, host, name, parsed.GetValue(delete), cancellation);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    public static async Task CancelAsync(Cluster cluster, CliHost host, string name, bool delete, CancellationToken cancellation)
    {
        var found = await cluster.FindJobGroupOrServiceAsync(name, cancellation);
        if (found.Object is InferenceService service && service.TaskGroup is { } group)
        {
            throw CliException.Usage($"{found.Label} belongs to the group {group} and ends with it; cancel that: trestle cancel {group}{cluster.NamespaceHint}");
        }

        // A service has no record to keep.
        if (delete || found.Object is InferenceService)
        {
            await cluster.DeleteAsync(found.Object, cancellation);
            await host.Out.WriteLineAsync($"{found.Label} deleted");
        }
        else if (found.HasEnded)
        {
            await host.Out.WriteLineAsync($"{found.Label} has ended already ({found.Phase})");
        }
        else
        {
            await cluster.AnnotateAsync(found.Object, Annotations.Cancel, "true", cancellation);
            await host.Out.WriteLineAsync($"{found.Label} is being cancelled");
        }
    }
}
