using Microsoft.Extensions.Logging;
using Trestle.Local.Nodes.Agent;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Nodes;

/// <summary>Runs the node agent against the Kubernetes API of a kubeconfig.</summary>
public static class NodesHost
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Runs until cancelled, then ends as <paramref name="end"/> says. Waits for the API server as long as it takes.
    /// Throws <see cref="InvalidOperationException"/> with one sentence when pods can't be sandboxed on this machine.
    /// </summary>
    public static async Task RunAsync(NodesOptions options, string kubeconfig, AgentEnd end, TimeProvider time, ILoggerFactory logs, CancellationToken ct)
    {
        options.Validate();
        var log = logs.CreateLogger("Trestle.Nodes");
        if (await Bubblewrap.ComplaintAsync(ct) is { } complaint) throw new InvalidOperationException(complaint);

        using var api = KubeConnection.Open(kubeconfig);
        var authority = await File.ReadAllTextAsync(Path.Combine(options.StateDirectory, "pki", "ca.crt"), ct);
        var view = new KubernetesView(api, time, log);
        var writes = new KubernetesWrites(api, time, log);
        var machine = new MachineContext(options.StateDirectory, options.Path, options.SharedPaths, api.Address.Host, api.Address.Port);
        var agent = new NodeAgent(options, machine, authority, view, writes, writes, time, log);

        // The watch and the events outlive the agent's own end, which still has statuses to write.
        using var lasting = new CancellationTokenSource();
        var background = Task.WhenAll(view.RunAsync(lasting.Token), writes.WriteEventsAsync(lasting.Token));
        try
        {
            await view.SyncedAsync(ct);
            await RegisterAsync(agent, time, log, ct);
            await agent.RunAsync(end, ct);
        }
        finally
        {
            await lasting.CancelAsync();
            await background;
        }
    }

    private static async Task RegisterAsync(NodeAgent agent, TimeProvider time, ILogger log, CancellationToken ct)
    {
        while (true)
        {
            try
            {
                await agent.RegisterAsync(ct);
                return;
            }
            catch (Exception e) when (!ct.IsCancellationRequested && NodeApiErrors.IsPassing(e))
            {
                NodeLog.LoopFailed(log, "registering the nodes", NodeApiErrors.Words(e));
                await Task.Delay(Retry, time, ct);
            }
        }
    }
}
