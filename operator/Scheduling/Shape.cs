using k8s.Models;
using Trestle.Api.Launch;

namespace Trestle.Operator.Scheduling;

/// <summary>What every rank of a job asks of its node. Jobs of one shape share the search for nodes.</summary>
internal sealed class Shape : IEquatable<Shape>
{
    private readonly string _text;
    private readonly int _hash;

    /// <param name="requests">Amounts by resource, as <see cref="PodRequests"/> counts.</param>
    /// <param name="selector">Labels the node must have.</param>
    /// <param name="tolerations">Taints the pod stands.</param>
    public Shape(IReadOnlyDictionary<string, long> requests, IReadOnlyDictionary<string, string>? selector = null, IReadOnlyList<V1Toleration>? tolerations = null)
    {
        Requests = [.. requests.Where(pair => pair.Value > 0).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, Math.Min(pair.Value, PodRequests.Most)))];
        Selector = [.. (selector ?? new Dictionary<string, string>()).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value))];
        Tolerations = tolerations ?? [];
        _text = string.Join('\n',
            [
                .. Requests.Select(request => $"{request.Resource}={request.Amount}"),
                .. Selector.Select(label => $"{label.Name}:{label.Value}"),
                .. Tolerations.Select(toleration => $"{toleration.Key}|{toleration.OperatorProperty}|{toleration.Value}|{toleration.Effect}"),
            ]);
        _hash = string.GetHashCode(_text, StringComparison.Ordinal);
    }

    public (string Resource, long Amount)[] Requests { get; }

    public (string Name, string Value)[] Selector { get; }

    public IReadOnlyList<V1Toleration> Tolerations { get; }

    /// <summary>Type of accelerator in its selector, e.g. H100.</summary>
    public string? Accelerator => Selector.FirstOrDefault(label => label.Name == Labels.Accelerator).Value;

    /// <summary>The shape of a pod, which must not be pinned.</summary>
    public static Shape Of(V1PodSpec pod) =>
        new(PodRequests.Of(pod), pod.NodeSelector?.ToDictionary(pair => pair.Key, pair => pair.Value), pod.Tolerations?.ToList());

    /// <summary>How many ranks of this shape go into so much.</summary>
    public int Slots(IReadOnlyDictionary<string, long> free)
    {
        var slots = (long)int.MaxValue;
        foreach (var (resource, amount) in Requests)
        {
            slots = Math.Min(slots, Math.Max(free.GetValueOrDefault(resource), 0) / amount);
            if (slots == 0) return 0;
        }

        return (int)slots;
    }

    /// <summary>Whether the node has the labels, and no taint that is not tolerated.</summary>
    public bool Matches(PassNode node)
    {
        foreach (var (name, wanted) in Selector)
        {
            if (!node.Labels.TryGetValue(name, out var value) || value != wanted) return false;
        }

        foreach (var taint in node.Taints)
        {
            if (taint.Effect is "NoSchedule" or "NoExecute" && !Tolerations.Any(toleration => Tolerates(toleration, taint))) return false;
        }

        return true;
    }

    public bool Equals(Shape? other) => other is not null && other._text == _text;

    public override bool Equals(object? obj) => Equals(obj as Shape);

    public override int GetHashCode() => _hash;

    private static bool Tolerates(V1Toleration toleration, Views.TaintView taint) =>
        (string.IsNullOrEmpty(toleration.Effect) || toleration.Effect == taint.Effect)
        && (toleration.OperatorProperty == "Exists"
            ? string.IsNullOrEmpty(toleration.Key) || toleration.Key == taint.Key
            : toleration.Key == taint.Key && (toleration.Value ?? "") == (taint.Value ?? ""));
}
