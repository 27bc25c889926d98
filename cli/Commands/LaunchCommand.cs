using System.CommandLine;
using Trestle.Cli.Connection;
using Trestle.Cli.Launching;
using Trestle.Cli.Output;

namespace Trestle.Cli.Commands;

internal static class LaunchCommand
{
    public static Command Build(CliHost host, string[] trailing)
    {
        var cluster = new ClusterOptions();
        var files = new Argument<string[]>("file") { Description = "Trestle YAML or SkyPilot YAML; '-' reads standard input", Arity = ArgumentArity.ZeroOrMore };
        var overrides = new OverrideOptions();
        var format = FormatOption.New();
        var parsable = new Option<bool>("--parsable") { Description = "print the name only" };
        var wait = new Option<bool>("--wait") { Description = "wait until it has ended, and end with its exit code; for a service until it is ready" };
        var dryRun = new Option<bool>("--dry-run") { Description = "let the cluster check everything and create nothing" };
        var group = new Option<string?>("--job-group") { Description = "attach to this group; it is swept when the group ends" };
        var alone = new Option<bool>("--no-job-group") { Description = "inside a group's task: don't attach to the group" };
        var command = new Command("launch", "Start what files describe, or a command after '--'.") { files, format, parsable, wait, dryRun, group, alone };
        cluster.AddTo(command);
        overrides.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var changed = overrides.Read(parsed, host);
            var input = LaunchReader.Read(parsed.GetValue(files) ?? [], trailing, changed, host);
            using var connection = cluster.Connect(parsed, host);
            var launcher = new Launcher(connection, host);
            var plan = await launcher.PlanAsync(input, changed, parsed.GetValue(group), parsed.GetValue(alone), cancellation);
            var output = parsed.GetValue(parsable) ? OutputFormat.Name : parsed.GetValue(format);
            if (parsed.GetValue(dryRun))
            {
                await launcher.ValidateAsync(plan, cancellation);
                LaunchReport.Write(host, plan, output, connection, dryRun: true);
                return ExitCode.Ok;
            }

            await launcher.RunAsync(plan, cancellation);
            if (parsed.GetValue(parsable))
            {
                LaunchReport.WriteNames(host, plan);
            }
            else
            {
                LaunchReport.Write(host, plan, output, connection, dryRun: false);
            }

            return parsed.GetValue(wait) ? await launcher.WaitAsync(plan, cancellation) : ExitCode.Ok;
        });
        return command;
    }
}
