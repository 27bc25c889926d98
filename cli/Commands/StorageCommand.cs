using System.CommandLine;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;
using Trestle.Cli.Output;
using Trestle.Cli.Storages;

namespace Trestle.Cli.Commands;

internal static class StorageCommand
{
    public static Command Build(CliHost host)
    {
        var cluster = new ClusterOptions();
        var format = FormatOption.New();
        var command = new Command("storage", "Storages: where they are, whether they can be used, what is in them.") { format };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var connection = cluster.Connect(parsed, host);
            var storages = await connection.StoragesAsync(cancellation);
            var table = StorageTable.Build(storages, host.Time.GetUtcNow().UtcDateTime);
            Listing.Write(host, parsed.GetValue(format), table, [.. storages.Select(ListedJobs.Of)], $"there are no storages in namespace {connection.Namespace}");
            return ExitCode.Ok;
        });
        return command;
    }
}
