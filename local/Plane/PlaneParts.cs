using Microsoft.Extensions.Logging;
using Trestle.Bridge;
using Trestle.Bridge.Login;
using Trestle.Local.ApiServer;
using Trestle.Local.Nodes;
using Trestle.Local.Nodes.Agent;
using Trestle.Local.Plane.Slurm;
using Trestle.Operator;

namespace Trestle.Local.Plane;

/// <summary>The bodies of the part processes.</summary>
internal sealed class PlaneParts(PlaneDirectory directory, PlaneSettings settings, ILoggerFactory logs)
{
    private static readonly TimeSpan Outlive = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>The API server. When it is stopped it waits for the nodes, which have last words to write.</summary>
    public async Task ApiAsync(CancellationToken ct)
    {
        var server = await ApiServerHost.StartAsync(new ApiServerOptions { StateDirectory = directory.Root, Port = settings.ApiPort, LoggerFactory = logs }, ct);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var began = TimeProvider.System.GetTimestamp();
        while (directory.Pid("nodes").Alive() is not null && directory.Pid("supervisor").Alive() is null && TimeProvider.System.GetElapsedTime(began) < Outlive)
            await Task.Delay(Look, TimeProvider.System, CancellationToken.None);
        await server.StopAsync(CancellationToken.None);
    }

    /// <summary>The virtual nodes.</summary>
    public Task NodesAsync(CancellationToken ct)
    {
        var options = new NodesOptions
        {
            StateDirectory = directory.Root,
            Nodes = settings.Nodes,
            GpuType = settings.GpuType,
            GpuCount = settings.GpuCount,
            Path = settings.Path,
            SharedPaths = Programs.Find().Directories,
        };
        return NodesHost.RunAsync(options, directory.Kubeconfig, AgentEnd.StopPods, TimeProvider.System, logs, ct);
    }

    /// <summary>The operator.</summary>
    public Task OperatorAsync(CancellationToken ct)
    {
        var options = new OperatorOptions
        {
            Kubeconfig = directory.Kubeconfig,
            DefaultImage = "local",
            DefaultStorageRoot = settings.Objects,
            SharedNetwork = true,
            RendezvousListen = $"http://127.0.0.1:{settings.RendezvousPort}",
            // The supervisor runs one at a time; the lease of a killed one would only be waited for.
            LeaderElection = false,
        };
        return OperatorHost.RunAsync(options, logs, TimeProvider.System, ct);
    }

    /// <summary>The Slurm bridge.</summary>
    public async Task BridgeAsync(CancellationToken ct)
    {
        var options = new BridgeOptions
        {
            Kubeconfig = directory.Kubeconfig,
            LogsListen = $"http://127.0.0.1:{settings.SlurmLogsPort}",
            LogsAt = $"http://127.0.0.1:{settings.SlurmLogsPort}",
            // A bridge that was killed is started again at once, and waits for its own lease.
            LeaseSeconds = 3,
        };
        var ssh = new SshOptions();
        await using var nodes = new SshLoginNodes(ssh, TimeProvider.System, logs.CreateLogger("Trestle.Bridge.Login"));
        var here = settings.Slurm.Where(cluster => cluster.Host is null).Select(cluster => cluster.Name).ToHashSet();
        await BridgeHost.RunAsync(options, new AttachedLoginNodes(here, new LocalLoginNodes(ssh, TimeProvider.System), nodes), logs, TimeProvider.System, new BridgeHealth(), ct);
    }
}
