using System.Globalization;
using Trestle.Api.Launch;
using Trestle.Runtime;

namespace Trestle.Operator.Views;

/// <summary>Short questions about pods.</summary>
public static class PodFacts
{
    /// <summary>Name of the index of pods by the uid of their TrainingJob.</summary>
    public const string JobUidIndex = "job-uid";

    /// <summary>Name of the index of pods by the uid of their InferenceService.</summary>
    public const string ServiceUidIndex = "service-uid";

    /// <summary>Uid of the TrainingJob; null on pods of others.</summary>
    public static string? JobUid(this PodView pod) => pod.Label(Labels.JobUid);

    /// <summary>The attempt it belongs to; 0 on pods of others.</summary>
    public static int Attempt(this PodView pod) => Number(pod, Labels.Attempt) ?? 0;

    /// <summary>Its rank; -1 on pods of others.</summary>
    public static int Rank(this PodView pod) => Number(pod, Labels.Rank) ?? -1;

    /// <summary>All its containers have ended: it holds nothing of its node.</summary>
    public static bool IsTerminal(this PodView pod) => pod.Status?.Phase is "Succeeded" or "Failed";

    /// <summary>Something holds it back from being bound.</summary>
    public static bool IsGated(this PodView pod) => pod.Spec.SchedulingGates is { Count: > 0 };

    /// <summary>It was told to end.</summary>
    public static bool IsTerminating(this PodView pod) => pod.IsDeleting();

    /// <summary>Uid of the InferenceService; null on pods of others.</summary>
    public static string? ServiceUid(this PodView pod) => pod.Label(Labels.ServiceUid);

    /// <summary>Ordinal of its replica; -1 on pods of others.</summary>
    public static int Replica(this PodView pod) => Number(pod, Labels.Replica) ?? -1;

    /// <summary>It is part of a service's replica and not of its gateway.</summary>
    public static bool IsOfReplica(this PodView pod) => pod.Label(Labels.Component) == Labels.ReplicaComponent && pod.Replica() >= 0;

    /// <summary>It takes requests.</summary>
    public static bool IsReady(this PodView pod) => !pod.IsTerminal() && pod.Condition("Ready") is { Status: "True" };

    /// <summary>A condition; null when it is not there.</summary>
    public static PodConditionView? Condition(this PodView pod, string type) => pod.Status?.Conditions?.Find(condition => condition.Type == type);

    private static int? Number(PodView pod, string label) =>
        int.TryParse(pod.Label(label), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
