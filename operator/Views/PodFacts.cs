using System.Globalization;
using Trestle.Api.Launch;
using Trestle.Runtime;

namespace Trestle.Operator.Views;

/// <summary>Short questions about pods.</summary>
public static class PodFacts
{
    /// <summary>Name of the index of pods by the uid of their TrainingJob.</summary>
    public const string JobUidIndex = "job-uid";

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

    private static int? Number(PodView pod, string label) =>
        int.TryParse(pod.Label(label), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
