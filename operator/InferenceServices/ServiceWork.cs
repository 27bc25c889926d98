using k8s.Models;
using Microsoft.Extensions.Logging;
using Trestle.Api.Schema;
using Trestle.Operator.Launch;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.InferenceServices;

/// <summary>Does what a plan says. Everything may be done again: what is there already, or gone already, is fine.</summary>
[EntityRbac("", "pods", "create,delete")]
internal sealed class ServiceWork(IKubeApi api, ObservedService seen, PodSettings settings, ServiceMemory memory, IEventRecorder events, ILogger log, DateTimeOffset now)
{
    private const int Parallel = 16;

    /// <summary>Why a pod could not be made; null when all could.</summary>
    public Obstacle? Obstacle { get; private set; }

    /// <summary>Does one thing.</summary>
    public Task RunAsync(ServiceEffect effect, CancellationToken ct) => effect switch
    {
        MakeGateway => MakeAsync(ServicePods.Gateway(seen.Service, settings), ct),
        EndGateway end => EndAsync([end.Pod], ct),
        MakePods make => ForEachAsync(make.Nodes, (node, token) => MakeAsync(ServicePods.Replica(seen.Service, settings, make.Replica, node), token), ct),
        EndReplica end => EndAsync(end, ct),
        ForgetPods forget => EndAsync(forget.Pods, ct),
        _ => throw new InvalidOperationException($"nothing is known of {effect.GetType().Name}"),
    };

    private async Task EndAsync(EndReplica end, CancellationToken ct)
    {
        if (end.Trouble is { } trouble)
        {
            var made = end.Pods.Min(pod => pod.Metadata.CreationTimestamp);
            if (trouble.Counts) memory.Failed(end.Replica, made is { } at ? now.UtcDateTime - at : TimeSpan.Zero, trouble.Message, now);
            OperatorLog.ReplicaFailed(log, seen.Service.Key(), end.Replica, trouble.Message);
            events.Record(seen.Service, warning: true, trouble.Reason, $"replica {end.Replica} is made anew: {trouble.Message}");
        }

        await EndAsync(end.Pods, ct);
    }

    private async Task EndAsync(IReadOnlyList<PodView> pods, CancellationToken ct)
    {
        await ForEachAsync(pods, async (pod, token) =>
        {
            try
            {
                // Nobody is there to drain it, or to say that it has ended.
                int? grace = pod.Spec.NodeName is { } node && seen.LostNodes.Contains(node) ? 0 : null;
                await api.DeleteAsync<PodView>(pod.Key(), new Deletion { Uid = pod.Metadata.Uid, GraceSeconds = grace }, token);
            }
            catch (KubeApiException error) when (error.IsConflict)
            {
                // Another pod has the name by now.
            }
        }, ct);
        memory.Ended(pods); // what could not be ended is not taken for ended
    }

    private async Task MakeAsync(V1Pod pod, CancellationToken ct)
    {
        try
        {
            await api.CreateAsync(pod, ct);
        }
        catch (KubeApiException error) when (error.IsAlreadyExists)
        {
            if (await api.FindAsync<PodView>(pod.Key(), ct) is { } known && !known.IsControlledBy(seen.Service))
                Obstacle = new Obstacle("NameTaken", $"Pod {known.Metadata.Name} is there already and is not of this service; delete it, or rename the service");
        }
        catch (KubeApiException error) when (error.IsInvalid || error.IsForbidden)
        {
            Obstacle = new Obstacle("PodRefused", $"pod {pod.Metadata.Name} can't be created: {error.Message}");
        }
    }

    private static Task ForEachAsync<T>(IReadOnlyList<T> items, Func<T, CancellationToken, Task> act, CancellationToken ct) =>
        System.Threading.Tasks.Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = ct }, async (item, token) => await act(item, token));
}
