using Trestle.Api.Launch;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.InferenceServices;

/// <summary>One replica as it is seen.</summary>
/// <param name="ordinal">Its number.</param>
/// <param name="nodes">Pods it must have.</param>
/// <param name="pods">Pods that were not told to end.</param>
/// <param name="leaving">Pods that were.</param>
/// <param name="hash">Hash of the template as it is now.</param>
/// <param name="trouble">Why it must be made anew; null when it need not.</param>
internal sealed class Replica(int ordinal, int nodes, IReadOnlyList<PodView> pods, IReadOnlyList<PodView> leaving, string? hash, Trouble? trouble)
{
    public int Ordinal => ordinal;

    public IReadOnlyList<PodView> Pods => pods;

    public IReadOnlyList<PodView> Leaving => leaving;

    public Trouble? Trouble => trouble;

    public PodView? Leader => pods.FirstOrDefault(pod => pod.Rank() == 0);

    /// <summary>Nodes without a pod.</summary>
    public IReadOnlyList<int> Missing => [.. Enumerable.Range(0, nodes).Where(node => pods.All(pod => pod.Rank() != node))];

    /// <summary>It takes requests.</summary>
    public bool IsReady => trouble is null && leaving.Count == 0 && pods.Count == nodes && Leader?.IsReady() == true;

    /// <summary>It is of another template.</summary>
    public bool IsOld => hash is not null && pods.Any(pod => pod.Label(Labels.TemplateHash) != hash);

    /// <summary>It has yet to be given nodes.</summary>
    public bool IsWaiting => pods.Count > 0 && pods.All(pod => pod.IsGated());
}
