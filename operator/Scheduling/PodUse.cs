using System.Runtime.CompilerServices;
using Trestle.Operator.Views;

namespace Trestle.Operator.Scheduling;

/// <summary>What one state of a pod means for its node; read once for every state, since passes come more often than changes.</summary>
/// <param name="Place">Its node; null when it has none.</param>
/// <param name="JobUid">Uid of its job; null on pods of others.</param>
/// <param name="Attempt">Attempt of its job.</param>
/// <param name="Rank">Rank of its job.</param>
/// <param name="IsTerminal">It has ended and holds nothing.</param>
/// <param name="EndsBy">When it was told to have ended; null when it was not told to end.</param>
/// <param name="Amounts">What it holds.</param>
internal sealed record PodUse(string? Place, string? JobUid, int Attempt, int Rank, bool IsTerminal, DateTime? EndsBy, (string Resource, long Amount)[] Amounts)
{
    public const string HostNameLabel = "kubernetes.io/hostname";
    private static readonly ConditionalWeakTable<PodView, PodUse> Known = [];

    /// <summary>Of a pod as it is now.</summary>
    public static PodUse Of(PodView pod) => Known.GetValue(pod, static pod => new PodUse(
        PlaceOf(pod), pod.JobUid(), pod.Attempt(), pod.Rank(), pod.IsTerminal(), pod.Metadata.DeletionTimestamp, [.. PodRequests.Of(pod).Select(pair => (pair.Key, pair.Value))]));

    // A pod that is released and pinned is as good as bound.
    private static string? PlaceOf(PodView pod) =>
        !string.IsNullOrEmpty(pod.Spec.NodeName) ? pod.Spec.NodeName
        : pod.IsGated() ? null
        : pod.Spec.NodeSelector?.GetValueOrDefault(HostNameLabel);
}
