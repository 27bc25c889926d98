using System.CommandLine;
using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;
using Trestle.Cli.Launching;
using Trestle.Cli.Output;

namespace Trestle.Cli.Commands;

/// <summary>The same spec under a new name: an ended job keeps its record.</summary>
internal static class RetryCommand
{
    public static Command Build(CliHost host)
    {
        var cluster = new ClusterOptions();
        var name = new Argument<string>("name") { Description = "a job or group that has ended" };
        var newName = new Option<string?>("--name") { Description = "name of the new one; NAME-r2, NAME-r3, … when left out" };
        var command = new Command("retry", "Launch an ended job or group again under a new name.") { name, newName };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var connection = cluster.Connect(parsed, host);
            var found = await connection.FindJobOrGroupAsync(parsed.GetRequiredValue(name), cancellation);
            if (!found.HasEnded)
            {
                throw new CliException($"{found.Label} has not ended ({found.Phase}); cancel it first with: trestle cancel {found.Name}");
            }

            var again = Again(found, parsed.GetValue(newName));
            var launcher = new Launcher(connection, host);
            var plan = await launcher.PlanAsync(new LaunchInput([again], [], []), new LaunchOverrides { Name = again.Metadata.Name }, null, true, cancellation);
            await launcher.RunAsync(plan, cancellation);
            LaunchReport.Write(host, plan, OutputFormat.Table, connection, dryRun: false);
            return ExitCode.Ok;
        });
        return command;
    }

    private static IKubernetesObject<V1ObjectMeta> Again(FoundJob found, string? name)
    {
        var meta = new V1ObjectMeta
        {
            Name = name ?? NextName(found.Name),
            NamespaceProperty = found.Object.Metadata.NamespaceProperty,
            Labels = found.Object.Metadata.Labels,
        };
        return found.Object switch
        {
            TrainingJob job => new TrainingJob { Metadata = meta, Spec = job.Spec },
            JobGroup group => new JobGroup { Metadata = meta, Spec = group.Spec },
            _ => throw new InvalidOperationException($"{found.Label} is no job"),
        };
    }

    internal static string NextName(string name)
    {
        var mark = name.LastIndexOf("-r", StringComparison.Ordinal);
        return mark > 0 && int.TryParse(name[(mark + 2)..], out var number) ? $"{name[..mark]}-r{number + 1}" : name + "-r2";
    }
}
