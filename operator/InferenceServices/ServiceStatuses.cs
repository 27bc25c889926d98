using System.Globalization;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.InferenceServices;

/// <summary>What is told of a service. Pure.</summary>
internal static class ServiceStatuses
{
    private static readonly string?[] NoUpdate = [null, "", "Idle", "None"];

    /// <summary>Whether replicas are taking newer weights.</summary>
    public static bool IsUpdating(WeightsStatus? weights) => !NoUpdate.Contains(weights?.Phase);

    /// <summary>The status; what the gateway writes stays as it is.</summary>
    public static InferenceServiceStatus Of(ObservedService seen, IReadOnlyList<Replica> replicas, int wanted, Rollout rollout, DateTimeOffset now)
    {
        var service = seen.Service;
        var status = service.Status.Copy();
        var ready = replicas.Count(replica => replica.IsReady);
        status.ObservedGeneration = service.Metadata.Generation;
        status.Replicas = replicas.Count(replica => replica.Pods.Count > 0);
        status.ReadyReplicas = ready;
        status.DesiredReplicas = service.Spec.Autoscaling is null ? null : wanted;
        (status.Selector, status.Url, status.WeightsUrl) = (service.Selector, service.Url, service.WeightsUrl);
        var gateway = ServicePlanner.Gateway(seen);
        (status.Phase, status.Reason, status.Message) = Judge(seen, replicas, wanted, ready, gateway, now);
        var isAvailable = gateway?.IsReady() == true && ready >= Math.Max(1, rollout.Fewest);
        Set(status, service, Available, isAvailable, now);
        Set(status, service, "Progressing", status.Phase is InferenceServicePhase.Starting or InferenceServicePhase.Degraded or InferenceServicePhase.Updating || status.Reason == RollingOut, now);
        Set(status, service, "Unsupported", seen.Refusal is not null, now);
        if (service.TakesWeights) Set(status, service, "WeightsCurrent", ready > 0 && status.Weights is { } weights && (weights.DesiredVersion is null || weights.DesiredVersion == weights.ServingVersion), now);
        return status;
    }

    private const string Available = "Available";
    private const string RollingOut = "RollingOut";

    private static (InferenceServicePhase Phase, string Reason, string Message) Judge(ObservedService seen, IReadOnlyList<Replica> replicas, int wanted, int ready, PodView? gateway, DateTimeOffset now)
    {
        if (seen.Service.IsDeleting()) return (InferenceServicePhase.Terminating, "Deleted", "its pods are being ended");
        if (seen.Refusal is { } refusal) return (InferenceServicePhase.Failed, "Unsupported", refusal);
        if (seen.Obstacle is { } obstacle) return (ready == 0 ? InferenceServicePhase.Pending : InferenceServicePhase.Degraded, obstacle.Reason, obstacle.Message);
        if (wanted == 0) return (InferenceServicePhase.Pending, "ScaledToZero", "no replicas are asked for");
        var count = $"{Math.Min(ready, wanted)}/{wanted} replicas ready";
        var trouble = Enumerable.Range(0, wanted).Select(ordinal => Why(seen, replicas.FirstOrDefault(replica => replica.Ordinal == ordinal), ordinal, now)).FirstOrDefault(why => why is not null);
        var message = trouble is null ? count : $"{count}; {trouble}";
        if (gateway?.IsReady() != true) message += $"; gateway: {(gateway is null ? "not there yet" : Doing(gateway, Names.GatewayContainer))}";
        var outdated = replicas.Count(replica => replica.Ordinal < wanted && replica.IsOld);
        if (ready == 0 || gateway?.IsReady() != true)
            return replicas.Any(replica => replica.Pods.Any(pod => pod.Spec.NodeName is not null)) ? (InferenceServicePhase.Starting, ready == 0 ? "ReplicasStarting" : "GatewayStarting", message) : (InferenceServicePhase.Pending, "ReplicasPending", message);
        if (IsUpdating(seen.Service.Status?.Weights)) return (InferenceServicePhase.Updating, "WeightsUpdating", message);
        if (outdated > 0) return (ready >= wanted ? InferenceServicePhase.Available : InferenceServicePhase.Degraded, RollingOut, $"{message}; {outdated} of an earlier template");
        return ready >= wanted ? (InferenceServicePhase.Available, "ReplicasReady", message) : (InferenceServicePhase.Degraded, "ReplicasNotReady", message);
    }

    // Null when nothing is wrong with the replica.
    private static string? Why(ObservedService seen, Replica? replica, int ordinal, DateTimeOffset now)
    {
        if (replica?.IsReady == true) return null;
        var words = replica switch
        {
            { Trouble: { } trouble } => trouble.Message,
            { IsWaiting: true } => seen.Waits.GetValueOrDefault(ordinal) ?? "waiting for nodes",
            { Pods.Count: > 0 } => Engine(seen.Service, replica),
            { Leaving.Count: > 0 } => "waiting for its last pods to end",
            _ when seen.Failures.TryGetValue(ordinal, out var failures) && failures.NotBefore > now => $"failed {Times(failures.Count)}, again at {failures.NotBefore.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture)} UTC: {failures.Message}",
            _ => "not there yet",
        };
        return $"replica {ordinal}: {words}";
    }

    private static string Engine(InferenceService service, Replica replica)
    {
        var late = replica.Pods.FirstOrDefault(pod => Ill(pod, Names.EngineContainer) is not null) ?? replica.Pods.FirstOrDefault(pod => pod.Spec.NodeName is null) ?? replica.Leader ?? replica.Pods[0];
        var told = service.Status?.ReplicaStatuses?.Find(known => known.Name == replica.Leader?.Metadata.Name);
        if (Ill(late, Names.EngineContainer) is not null || told?.State is null or "Ready") return Doing(late, Names.EngineContainer);
        return told.Message is { Length: > 0 } why ? $"{told.State.ToLowerInvariant()}: {why}" : told.State.ToLowerInvariant();
    }

    private static string Doing(PodView pod, string container) =>
        Ill(pod, container)
        ?? (pod.Spec.NodeName is { } node ? $"starting on {node}" : pod.Condition("PodScheduled") is { Status: "False", Message: { } message } ? message : "waiting for its node");

    private static string? Ill(PodView pod, string container)
    {
        var status = pod.Status?.ContainerStatuses?.Find(known => known.Name == container);
        return status?.State switch
        {
            { Waiting: { Reason: { } reason and not ("PodInitializing" or "ContainerCreating") } waiting } => waiting.Message is { Length: > 0 } message ? $"{reason}: {message}" : reason,
            { Terminated: { } exit } => $"{container} ended with exit code {exit.ExitCode}",
            _ => null,
        };
    }

    private static string Times(int count) => count == 1 ? "once" : $"{count} times";

    // A condition that never held is not written, and one that stays as it is keeps its words; but why a service is not available changes.
    private static void Set(InferenceServiceStatus status, InferenceService service, string type, bool holds, DateTimeOffset now)
    {
        var known = status.Conditions?.Find(condition => condition.Type == type);
        if (known is null ? !holds : known.Status == (holds ? "True" : "False") && (holds || type != Available)) return;
        Conditions.Set(status.Conditions ??= [], type, holds, status.Reason!, status.Message!, service.Metadata.Generation, now);
    }
}
