using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;

namespace Trestle.Cli.Jobs;

/// <summary>What the tables say about a service, read from its object.</summary>
internal static class ServiceFacts
{
    public static string Phase(this InferenceService service) =>
        service.Metadata.DeletionTimestamp is not null ? nameof(InferenceServicePhase.Terminating) : (service.Status?.Phase ?? InferenceServicePhase.Pending).ToString();

    /// <summary>All replicas serve what the spec says, or none ever will: it is refused, or none is asked for.</summary>
    public static bool IsSettled(this InferenceService service) =>
        service.Metadata.DeletionTimestamp is null && service.Status is { } status && (status.ObservedGeneration ?? 0) >= (service.Metadata.Generation ?? 0)
        && (status.Phase is InferenceServicePhase.Available or InferenceServicePhase.Failed || status.Reason == "ScaledToZero");

    /// <summary>GPUs that its replicas hold or wait for.</summary>
    public static int Gpus(this InferenceService service) => Gpus(service.Spec, service.WantedReplicas());

    /// <summary>Replicas that autoscaling, else the spec asks for.</summary>
    public static int WantedReplicas(this InferenceService service) => service.Status?.DesiredReplicas ?? service.FirstReplicas;

    /// <summary>GPUs that so many replicas ask for.</summary>
    public static int Gpus(InferenceServiceSpec spec, int replicas) => replicas * (spec.Parallelism?.Nodes ?? 1)
        * (spec.Resources?.Accelerators is { } text && Accelerators.TryParse(text, out var accelerators, out _) ? accelerators.Count : 0);
}
