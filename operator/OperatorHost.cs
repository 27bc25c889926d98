using k8s.Models;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Health;
using Trestle.Operator.Telemetry;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator;

/// <summary>The operator as one running whole.</summary>
[EntityRbac("", "secrets", "get,create", InOwnNamespace = true)]
[EntityRbac("coordination.k8s.io", "leases", "get,create,update", InOwnNamespace = true)]
public static class OperatorHost
{
    /// <summary>Name of the lease of the leader, in <see cref="OperatorOptions.Namespace"/>.</summary>
    public const string LeaseName = "trestle-operator";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Runs until cancelled, then ends what it started. A server that can't be reached is waited for.</summary>
    /// <exception cref="InvalidOperationException">The kubeconfig, the rendezvous Secret, MetricsListen or a variable of OpenTelemetry can't be used.</exception>
    public static async Task RunAsync(OperatorOptions options, ILoggerFactory logs, TimeProvider time, CancellationToken ct, OperatorHealth? health = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var api = new KubeClientOptions { Kubeconfig = options.Kubeconfig }.Open(time, TrestleJson.Default, OperatorJson.Default);
        await RunAsync(api, api, options, logs, time, health ?? new OperatorHealth(), ct);
    }

    internal static async Task RunAsync(IKubeApi api, IApiDiscovery discovery, OperatorOptions options, ILoggerFactory logs, TimeProvider time, OperatorHealth health, CancellationToken ct)
    {
        var log = logs.CreateLogger("Trestle.Operator");
        await using var stopping = ct.Register(() => health.Is(OperatorPhase.Stopping));
        await using var telemetry = await OperatorTelemetry.StartAsync(options, new ConfigurationBuilder().AddEnvironmentVariables().Build(), time, log, ct);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await (options.LeaderElection ? LeadAsync() : TermAsync(ct));
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is KubeApiException or HttpRequestException or IOException or OperationCanceledException)
            {
                health.Is(OperatorPhase.Failing);
                OperatorLog.CannotWork(log, error.Message, Pause.TotalSeconds);
                await Task.Delay(Pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        async Task LeadAsync()
        {
            var mark = new LeaderMark(api, options.PodName is { } pod ? new ObjectKey(options.Namespace, pod) : null);
            await mark.RemoveAsync(ct);

            // The gate waits in silence for a server that can't be reached; who can't even read the lease is no stand-by.
            await api.FindAsync<V1Lease>(new ObjectKey(options.Namespace, LeaseName), ct);
            health.Is(OperatorPhase.StandingBy);
            var identity = $"{Environment.MachineName}_{Environment.ProcessId}_{Guid.NewGuid().ToString("N")[..8]}";
            await new LeaderGate(api, options.Namespace, LeaseName, identity, time, log, LeaseTiming.OfSeconds(options.LeaseSeconds)).RunAsync(term => MarkedAsync(mark, term), ct);
        }

        // What fails here comes out of the gate, and the next try takes the mark away first.
        async Task MarkedAsync(LeaderMark mark, CancellationToken term)
        {
            await mark.SetAsync(term);
            await TermAsync(term);
            health.Is(OperatorPhase.StandingBy);
            using var limit = new CancellationTokenSource(Pause, time);
            await mark.RemoveAsync(limit.Token);
        }

        Task TermAsync(CancellationToken term)
        {
            health.Is(OperatorPhase.FillingCaches);
            return new OperatorTerm(api, discovery, options, telemetry, time, log) { Started = () => health.Is(OperatorPhase.Working) }.RunAsync(term);
        }
    }
}
