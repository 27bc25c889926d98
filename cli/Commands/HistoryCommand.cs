using System.CommandLine;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;
using Trestle.Cli.Output;

namespace Trestle.Cli.Commands;

internal static class HistoryCommand
{
    public static Command Build(CliHost host)
    {
        var cluster = new ClusterOptions { OffersAllNamespaces = true };
        var format = FormatOption.New();
        var command = new Command("history", "Jobs that have ended: exit code, time, GPU-hours.") { format };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var connection = cluster.Connect(parsed, host);
            var all = cluster.AllNamespaces(parsed);
            var jobs = await connection.JobsAsync(all, cancellation);
            var table = HistoryTable.Build(jobs, host.Time.GetUtcNow().UtcDateTime, all);
            Listing.Write(host, parsed.GetValue(format), table, ListedJobs.Of(HistoryTable.Ended(jobs)), $"no jobs have ended{(all ? "" : $" in namespace {connection.Namespace}")}");
            return ExitCode.Ok;
        });
        return command;
    }
}
