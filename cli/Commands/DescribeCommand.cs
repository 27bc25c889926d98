using System.CommandLine;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;
using Trestle.Cli.Output;

namespace Trestle.Cli.Commands;

internal static class DescribeCommand
{
    public static Command Build(CliHost host)
    {
        var cluster = new ClusterOptions();
        var name = new Argument<string>("name") { Description = "job, group or service" };
        var format = FormatOption.New();
        var command = new Command("describe", "Everything about one job, group or service: state, why it waits, ranks, events, how it ended.") { name, format };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var connection = cluster.Connect(parsed, host);
            var found = await connection.FindJobGroupOrServiceAsync(parsed.GetRequiredValue(name), cancellation);
            if (parsed.GetValue(format) is not (OutputFormat.Table or OutputFormat.Wide) and var output)
            {
                Listing.WriteOne(host, output, ListedJobs.Of(found.Object));
                return ExitCode.Ok;
            }

            var events = await connection.EventsAsync(found.Object.Metadata, cancellation);
            var members = found.Object is JobGroup group ? (await connection.JobsAsync(false, cancellation)).MembersOf(group) : [];
            var description = new JobDescription(host.Time.GetUtcNow().UtcDateTime, connection.NamespaceHint);
            var attempts = found.Object is TrainingJob ? await connection.SlurmJobsAsync(found.Object.Metadata.NamespaceProperty, $"{Labels.JobUid}={found.Object.Metadata.Uid}", cancellation) : [];
            await host.Out.WriteAsync(description.Render(found, members, events, attempts));
            return ExitCode.Ok;
        });
        return command;
    }
}
