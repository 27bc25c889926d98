using k8s.Models;
using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;
using Trestle.WeightsGateway.Board;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Hosting;

/// <summary>A gateway of a service in Kubernetes.</summary>
public static class GatewayHost
{
    /// <summary>Runs until cancelled; waits for the service as long as it takes.</summary>
    public static async Task RunAsync(IKubeApi api, ObjectKey service, GatewayOptions options, GatewayHealth health, ILogger log, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(health);
        await using var stopping = ct.Register(health.Stops);
        var services = new Informer<InferenceService>(api, new Selection(service.Namespace, Fields: $"metadata.name={service.Name}"), TimeProvider.System, log);
        var pods = new Informer<V1Pod>(api, PodReplicas.Selection(service), TimeProvider.System, log);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var watches = Task.WhenAll(services.RunAsync(ends.Token), pods.RunAsync(ends.Token));
        try
        {
            await Task.WhenAll(services.Synced, pods.Synced).WaitAsync(ct);
            var known = await SpecAsync(services.Cache, service, ct);
            await using var gateway = new Gateway(options, new PodReplicas(pods.Cache), new KubernetesBoard(api, service, TimeProvider.System), Spec, TimeProvider.System, log);
            await gateway.StartAsync(ct);
            health.Works();
            await gateway.RunAsync(ct);

            // Of a service that is being deleted the last that was known counts.
            InferenceServiceSpec Spec() => known = services.Cache.Find(service)?.Spec ?? known;
        }
        finally
        {
            await ends.CancelAsync();
            await watches.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<InferenceServiceSpec> SpecAsync(IObjectCache<InferenceService> cache, ObjectKey service, CancellationToken ct)
    {
        while (true)
        {
            if (cache.Find(service)?.Spec is { } spec) return spec;
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, ct);
        }
    }
}
