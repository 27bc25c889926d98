using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Trestle.Testing.Hollow;

/// <summary>
/// Sees every change of every pod, in the order of the server, and writes down what must never be: a gang that is let go before it is
/// whole, two attempts of a job that may run at a time, a node that gives more GPUs than it has.
/// </summary>
public sealed class GangWitness
{
    private readonly Dictionary<string, PodState> _pods = [];
    private readonly Dictionary<(string Job, int Attempt), HashSet<int>> _made = [];
    private readonly Dictionary<string, int> _sizes = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>What must not be, as sentences.</summary>
    public ConcurrentQueue<string> Violations { get; } = [];

    /// <summary>Pods that were made in all.</summary>
    public int PodsMade
    {
        get
        {
            lock (_lock) return _made.Values.Sum(ranks => ranks.Count);
        }
    }

    /// <summary>Ranks of a job, by its uid: told before its pods are made.</summary>
    public void Expect(string uid, int ranks)
    {
        lock (_lock) _sizes[uid] = ranks;
    }

    /// <summary>A pod is new or has changed.</summary>
    public void Seen(JsonNode pod)
    {
        if (PodState.Of(pod) is not { } now) return;
        lock (_lock)
        {
            Ranks(now).Add(now.Rank);
            _pods[now.Uid] = now;
            if (now.MayRun) Check(now);
        }
    }

    /// <summary>A pod is gone.</summary>
    public void Gone(JsonNode pod)
    {
        lock (_lock) _pods.Remove((string)pod["metadata"]!["uid"]!);
    }

    private HashSet<int> Ranks(PodState pod)
    {
        if (!_made.TryGetValue((pod.Job, pod.Attempt), out var ranks)) _made[(pod.Job, pod.Attempt)] = ranks = [];
        return ranks;
    }

    private void Check(PodState pod)
    {
        if (_sizes.TryGetValue(pod.Job, out var size) && Ranks(pod).Count < size) Violations.Enqueue($"{pod.Name} was let go when {Ranks(pod).Count} of {size} pods existed");
        foreach (var other in _pods.Values)
        {
            if (other.MayRun && other.Job == pod.Job && other.Attempt != pod.Attempt) Violations.Enqueue($"{pod.Name} may run beside {other.Name}");
        }

        var taken = _pods.Values.Where(other => other.MayRun && other.Node == pod.Node).Sum(other => other.Gpus);
        if (pod.Node is not null && taken > HollowCluster.GpusPerNode) Violations.Enqueue($"{taken} GPUs of node {pod.Node} are taken, when {pod.Name} came");
    }

    /// <summary>What matters of a pod.</summary>
    private sealed record PodState(string Uid, string Name, string Job, int Attempt, int Rank, string? Node, int Gpus, bool MayRun)
    {
        public static PodState? Of(JsonNode pod)
        {
            var labels = pod["metadata"]!["labels"];
            if ((string?)labels?["trestle.dev/job-uid"] is not { } job) return null;
            var gated = pod["spec"]!["schedulingGates"] is JsonArray { Count: > 0 };
            var ended = (string?)pod["status"]?["phase"] is "Succeeded" or "Failed";
            return new PodState(
                (string)pod["metadata"]!["uid"]!,
                (string)pod["metadata"]!["name"]!,
                job,
                int.Parse((string)labels["trestle.dev/attempt"]!, CultureInfo.InvariantCulture),
                int.Parse((string)labels["trestle.dev/rank"]!, CultureInfo.InvariantCulture),
                (string?)pod["spec"]!["nodeName"],
                pod["spec"]!["containers"]!.AsArray().Sum(container => int.Parse((string?)container!["resources"]?["limits"]?["nvidia.com/gpu"] ?? "0", CultureInfo.InvariantCulture)),
                !gated && !ended);
        }
    }
}
