using System.CommandLine;
using System.Text.Json.Nodes;
using k8s;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;
using Trestle.Cli.Nodes;
using Trestle.Cli.Output;

namespace Trestle.Cli.Commands;

internal static class InfraCommand
{
    public static Command Build(CliHost host)
    {
        var cluster = new ClusterOptions();
        var format = FormatOption.New();
        var watch = new Option<bool>("--watch", "-w") { Description = "show it again whenever it changes, until Ctrl-C" };
        var command = new Command("infra", "GPUs free and total: by type and by node, and by partition of Slurm clusters.") { format, watch };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var connection = cluster.Connect(parsed, host);
            Task Draw(CliHost to) => ShowAsync(connection, to, parsed.GetValue(format), cancellation);
            if (parsed.GetValue(watch))
            {
                return await WatchLoop.RunAsync(host, Draw, cancellation);
            }

            await Draw(host);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task ShowAsync(Cluster cluster, CliHost host, OutputFormat format, CancellationToken cancellation)
    {
        var nodes = await cluster.NodesAsync(cancellation);
        var pods = await cluster.AllPodsAsync(cancellation);
        var slurm = await cluster.SlurmClustersAsync(cancellation);
        ListedObject[] objects = [.. nodes.Select(node => new ListedObject("node", node.Metadata.Name, () => JsonNode.Parse(KubernetesJson.Serialize(node))!)), .. slurm.Select(ListedJobs.Of)];
        if (format is not (OutputFormat.Table or OutputFormat.Wide))
        {
            Listing.Write(host, format, InfraTable.ByNode(nodes, pods), objects, "");
            return;
        }

        if (nodes.Count > 0)
        {
            Listing.Write(host, format, InfraTable.ByType(nodes, pods), objects, "");
            await host.Out.WriteLineAsync();
        }

        if (slurm.Count > 0)
        {
            Listing.Write(host, format, SlurmTable.Build(slurm, host.Time.GetUtcNow().UtcDateTime), objects, "");
            await host.Out.WriteLineAsync();
        }

        Listing.Write(host, format, InfraTable.ByNode(nodes, pods), objects, "this cluster has no nodes");
    }
}
