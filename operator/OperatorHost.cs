using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator;

/// <summary>The operator as one running whole.</summary>
public static class OperatorHost
{
    /// <summary>Name of the lease of the leader, in <see cref="OperatorOptions.Namespace"/>.</summary>
    public const string LeaseName = "trestle-operator";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Runs until cancelled, then ends what it started. A server that can't be reached is waited for.</summary>
    /// <exception cref="InvalidOperationException">The kubeconfig or the rendezvous Secret can't be used.</exception>
    public static async Task RunAsync(OperatorOptions options, ILoggerFactory logs, TimeProvider time, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);
        var log = logs.CreateLogger("Trestle.Operator");
        using var api = new KubeClientOptions { Kubeconfig = options.Kubeconfig }.Open(time, TrestleJson.Default, OperatorJson.Default);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await LeadAsync(api, options, time, log, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is KubeApiException or HttpRequestException or IOException or OperationCanceledException)
            {
                OperatorLog.CannotWork(log, error.Message, Pause.TotalSeconds);
                await Task.Delay(Pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static Task LeadAsync(KubeApi api, OperatorOptions options, TimeProvider time, ILogger log, CancellationToken ct)
    {
        if (!options.LeaderElection) return TermAsync(ct);
        var identity = $"{Environment.MachineName}_{Environment.ProcessId}_{Guid.NewGuid().ToString("N")[..8]}";
        return new LeaderGate(api, options.Namespace, LeaseName, identity, time, log).RunAsync(TermAsync, ct);

        Task TermAsync(CancellationToken term) => new OperatorTerm(api, api, options, time, log).RunAsync(term);
    }
}
