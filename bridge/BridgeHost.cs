using Microsoft.Extensions.Logging;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Login;
using Trestle.Bridge.Logs;
using Trestle.Runtime;

namespace Trestle.Bridge;

/// <summary>The bridge as one running whole.</summary>
[EntityRbac("", "secrets", "get,create", InOwnNamespace = true)]
public static class BridgeHost
{
    private const string SecretName = "trestle-bridge";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Runs until cancelled, then gives its leases back. A server that can't be reached is waited for.</summary>
    /// <exception cref="InvalidOperationException">The kubeconfig or the Secret of the log tokens can't be used.</exception>
    public static async Task RunAsync(BridgeOptions options, ILoginNodes nodes, ILoggerFactory logs, TimeProvider time, BridgeHealth health, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var api = new KubeClientOptions { Kubeconfig = options.Kubeconfig }.Open(time, TrestleJson.Default);
        await RunAsync(api, options, nodes, logs, time, health, new FailPoints(), ct);
    }

    internal static async Task RunAsync(IKubeApi api, BridgeOptions options, ILoginNodes nodes, ILoggerFactory logs, TimeProvider time, BridgeHealth health, FailPoints fail, CancellationToken ct, Action<string>? started = null)
    {
        var log = logs.CreateLogger("Trestle.Bridge");
        await using var stopping = ct.Register(health.Stops);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var key = new LogKey(await new TokenSecret(api, new ObjectKey(options.Namespace, SecretName), new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue }).OpenAsync(ct));
                var parts = new BridgeParts(api, nodes, options.Namespace, time, log) { Fail = fail };
                await new BridgeTerm(parts, options, key)
                {
                    Started = url =>
                    {
                        BridgeLog.Working(log, url);
                        health.Works();
                        started?.Invoke(url);
                    },
                }.RunAsync(ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is KubeApiException or HttpRequestException or IOException or OperationCanceledException)
            {
                health.Fails();
                BridgeLog.CannotWork(log, error.Message, Pause.TotalSeconds);
                await Task.Delay(Pause, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
