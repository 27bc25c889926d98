using System.CommandLine;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;
using Trestle.Cli.Output;

namespace Trestle.Cli.Commands;

internal static class QueueCommand
{
    public static Command Build(CliHost host)
    {
        var cluster = new ClusterOptions { OffersAllNamespaces = true };
        var format = FormatOption.New();
        var watch = new Option<bool>("--watch", "-w") { Description = "show it again whenever it changes, until Ctrl-C" };
        var command = new Command("queue", "Jobs and services that run or wait, and why they wait.") { format, watch };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var connection = cluster.Connect(parsed, host);
            var output = parsed.GetValue(format);
            Task Draw(CliHost to) => ShowAsync(connection, to, output, cluster.AllNamespaces(parsed), cancellation);
            if (parsed.GetValue(watch))
            {
                return await WatchLoop.RunAsync(host, Draw, cancellation);
            }

            await Draw(host);
            return ExitCode.Ok;
        });
        return command;
    }

    public static async Task ShowAsync(Cluster cluster, CliHost host, OutputFormat format, bool allNamespaces, CancellationToken cancellation)
    {
        var all = await cluster.JobsAsync(allNamespaces, cancellation);
        var jobs = new JobSet(all.All, all.Groups) { Services = await cluster.ServicesAsync(allNamespaces, cancellation) };
        var table = QueueTable.Build(jobs, host.Time.GetUtcNow().UtcDateTime, allNamespaces);
        var where = allNamespaces ? "" : $" in namespace {cluster.Namespace}";
        Listing.Write(host, format, table, ListedJobs.Active(jobs), $"no jobs run or wait{where}");
    }
}
