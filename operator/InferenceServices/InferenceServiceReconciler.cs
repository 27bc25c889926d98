using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.InferenceServices;

/// <summary>
/// Looks at a service and its pods, plans, makes what is missing and ends what is too much, and tells. What is to do follows
/// from the spec and the pods alone, so that whoever looks next, after a crash at any point, goes on with it.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="services">All services.</param>
/// <param name="pods">All pods, with the index <see cref="PodFacts.ServiceUidIndex"/>.</param>
/// <param name="nodes">All nodes.</param>
/// <param name="settings">What all pods have in common.</param>
/// <param name="waits">What replicas wait for.</param>
/// <param name="events">Where people are told of phases and failures.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Where failures of replicas are told.</param>
[EntityRbac(ApiGroup.Name, "inferenceservices/status", "patch")]
internal sealed class InferenceServiceReconciler(
    IKubeApi api,
    IObjectCache<InferenceService> services,
    IObjectCache<PodView> pods,
    IObjectCache<NodeView> nodes,
    Func<PodSettings> settings,
    ReplicaWaits waits,
    IEventRecorder events,
    TimeProvider time,
    ILogger log) : IReconciler
{
    private readonly ConcurrentDictionary<ObjectKey, ServiceMemory> _memories = [];

    /// <inheritdoc/>
    public async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (services.Find(key) is not { } service)
        {
            _memories.TryRemove(key, out _);
            return null;
        }

        var memory = _memories.AddOrUpdate(key, _ => new ServiceMemory(service.Metadata.Uid), (_, known) => known.Uid == service.Metadata.Uid ? known : new ServiceMemory(service.Metadata.Uid));
        var now = time.GetUtcNow();
        var seen = Observe(service, memory, now);
        var plan = ServicePlanner.Plan(seen, now);
        var obstacle = await CarryOutAsync(seen, plan, memory, now, ct);
        var wait = memory.UntilPublished(plan.Endpoints.Data[Paths.EndpointsFile], now);
        if (obstacle is null && wait == TimeSpan.Zero) obstacle = await PublishAsync(seen, plan, memory, now, ct);
        if (obstacle is not null) plan = ServicePlanner.Plan(seen with { Obstacle = obstacle }, now);
        if (plan.Recommended is { } recommended) memory.Recommended(recommended, service.Status?.DesiredReplicas ?? recommended, now);
        await TellAsync(service, plan.Status, ct);
        return wait > TimeSpan.Zero && !(plan.RequeueAfter < wait) ? wait : plan.RequeueAfter;
    }

    private ObservedService Observe(InferenceService service, ServiceMemory memory, DateTimeOffset now)
    {
        var common = settings();
        var own = pods.Where(PodFacts.ServiceUidIndex, service.Metadata.Uid);
        memory.See(own, now);
        var refusal = ServicePods.Problem(service);
        return new ObservedService(service, own)
        {
            Refusal = refusal,
            ReplicaHash = refusal is null ? ServicePods.ReplicaHash(service, common) : null,
            GatewayHash = ServicePods.GatewayHash(service, common),
            LostNodes = own.Select(pod => pod.Spec.NodeName).OfType<string>().Distinct().Where(node => !NodeFacts.IsReady(nodes, node)).ToHashSet(),
            Deleted = memory.Deleted,
            Released = memory.Released,
            Failures = memory.Failures,
            Recommendations = memory.Recommendations,
            Waits = waits.Of(service.Metadata.Uid),
            StartTimeout = common.StartTimeout,
        };
    }

    // Pods need what is beside them: a gateway without its account is not even admitted.
    private async Task<Obstacle?> CarryOutAsync(ObservedService seen, ServicePlan plan, ServiceMemory memory, DateTimeOffset now, CancellationToken ct)
    {
        if (seen.Refusal is not null || seen.Service.IsDeleting()) return null;
        var parts = new ServiceParts(api, seen.Service);
        var hash = parts.Hash(plan.Fewest);
        if (!memory.IsEnsured(hash, now))
        {
            if (await parts.EnsureAsync(plan.Fewest, ct) is { } obstacle) return obstacle;
            memory.Ensured(hash, now);
        }

        var work = new ServiceWork(api, seen, settings(), memory, events, log, now);
        foreach (var effect in plan.Effects) await work.RunAsync(effect, ct);
        return work.Obstacle;
    }

    private async Task<Obstacle?> PublishAsync(ObservedService seen, ServicePlan plan, ServiceMemory memory, DateTimeOffset now, CancellationToken ct)
    {
        if (seen.Refusal is not null || seen.Service.IsDeleting()) return null;
        if (await new ServiceParts(api, seen.Service).PublishAsync(plan.Endpoints, ct) is { } taken) return taken;
        memory.Published(plan.Endpoints.Data[Paths.EndpointsFile], now);
        return null;
    }

    private async Task TellAsync(InferenceService service, InferenceServiceStatus status, CancellationToken ct)
    {
        var own = ServiceStatusWrites.Own(status);
        if (JsonNode.DeepEquals(own, ServiceStatusWrites.Own(service.Status))) return;
        try
        {
            await api.MergeStatusAsync<InferenceService>(service.Key(), own, ct);
        }
        catch (KubeApiException error) when (error.IsNotFound)
        {
            return; // deleted meanwhile
        }

        if (status.Phase == service.Status?.Phase || IsUpdate(service.Status?.Phase, status.Phase)) return;
        var isWarning = status.Phase is InferenceServicePhase.Failed or InferenceServicePhase.Degraded || status.Reason is "NameTaken" or "PodRefused";
        events.Record(service, isWarning, status.Reason!, status.Message!);
    }

    // Weights may be updated every second, and that is what the service is for.
    private static bool IsUpdate(InferenceServicePhase? before, InferenceServicePhase? now) =>
        now == InferenceServicePhase.Updating || (before == InferenceServicePhase.Updating && now == InferenceServicePhase.Available);
}
