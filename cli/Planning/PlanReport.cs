using System.Globalization;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;
using Trestle.Cli.Launching;
using Trestle.Cli.Output;
using Trestle.Operator.Launch;

namespace Trestle.Cli.Planning;

/// <summary>Shows a plan: a row a job, who would be preempted, and what would be created; as JSON or YAML all of that is created.</summary>
internal static class PlanReport
{
    private const int ShownNodes = 4;

    public static void Write(CliHost host, OutputFormat format, LaunchPlan plan, Foreseen foreseen, IReadOnlyDictionary<string, Storage> storages)
    {
        Listing.Write(host, format, Table(foreseen), [.. Objects(plan, foreseen, storages)], "there is no job to plan");
        if (format is not (OutputFormat.Table or OutputFormat.Wide)) return;
        foreach (var preempted in foreseen.Preempted)
            host.Out.WriteLine($"preempts {Printable.Line($"{preempted.Job.Metadata.NamespaceProperty}/{preempted.Job.Metadata.Name}: {preempted.Message}")}");
        host.Out.WriteLine($"creates {string.Join(", ", Counts(plan, foreseen))}; nothing was created");
    }

    private static TextTable Table(Foreseen foreseen) => new(
        [new("JOB"), new("NODES"), new("GPUS"), new("WOULD"), new("WHERE"), new("WHY")],
        [
            .. foreseen.Jobs.Select(job => new[]
            {
                job.Job.Metadata.Name,
                job.Job.NodeCount.ToString(CultureInfo.InvariantCulture),
                job.Job.Accelerators is { } gpus ? (gpus.Count * job.Job.NodeCount).ToString(CultureInfo.InvariantCulture) : "-",
                job.Nodes is not null ? "start" : job.WouldFail ? "fail" : "wait",
                job.Nodes is null ? "-" : Where(job.Nodes),
                job.Why ?? "-",
            }),
        ]);

    private static string Where(IReadOnlyList<string> nodes)
    {
        var counted = nodes.GroupBy(node => node, StringComparer.Ordinal).Select(node => node.Count() == 1 ? node.Key : $"{node.Key} (x{node.Count()})").ToList();
        return string.Join(' ', counted.Take(ShownNodes)) + (counted.Count > ShownNodes ? $" and {counted.Count - ShownNodes} more" : "");
    }

    private static IEnumerable<string> Counts(LaunchPlan plan, Foreseen foreseen)
    {
        var kinds = plan.Operations.Select(operation => operation.Object.Kind).ToList();
        kinds.AddRange(Enumerable.Repeat(TrainingJob.KubeKind, foreseen.Jobs.Count - plan.Operations.Count(operation => operation.Object is TrainingJob)));
        kinds.AddRange(Enumerable.Repeat("Pod", foreseen.Jobs.Where(job => job.Nodes is not null).Sum(job => job.Job.NodeCount)));
        return kinds.GroupBy(kind => kind, StringComparer.Ordinal).Select(kind => $"{kind.Count()} {kind.Key}{(kind.Count() == 1 ? "" : "s")}");
    }

    private static IEnumerable<ListedObject> Objects(LaunchPlan plan, Foreseen foreseen, IReadOnlyDictionary<string, Storage> storages)
    {
        foreach (var operation in plan.Operations) yield return Listed(operation.Object, () => Json(operation.Object));
        foreach (var job in foreseen.Jobs.Where(job => job.Nodes is not null))
        {
            yield return Listed(LaunchObjects.Service(job.Job));
            yield return Listed(LaunchObjects.Scripts(job.Job));
            foreach (var (rank, node) in job.Nodes!.Index()) yield return Listed(Pinned(LaunchObjects.Pod(job.Job, new PodSettings("local", null, "http://operator", null), storages, rank, attempt: 1), node));
        }
    }

    // Of a secret only the names are shown.
    private static JsonNode Json(IKubernetesObject<V1ObjectMeta> item)
    {
        var json = JsonNode.Parse(ObjectJson.Text(item))!;
        if (item is V1Secret) foreach (var part in (string[])["data", "stringData"]) if (json[part] is JsonObject values) foreach (var key in values.Select(value => value.Key).ToList()) values[key] = "";
        return json;
    }

    private static V1Pod Pinned(V1Pod pod, string node)
    {
        pod.Spec.SchedulingGates = null;
        pod.Spec.NodeSelector = new Dictionary<string, string>(pod.Spec.NodeSelector ?? new Dictionary<string, string>()) { ["kubernetes.io/hostname"] = node };
        return pod;
    }

    private static ListedObject Listed(IKubernetesObject<V1ObjectMeta> item, Func<JsonNode>? json = null) =>
        new(item.Kind.ToLowerInvariant(), item.Metadata.Name, json ?? (() => JsonNode.Parse(KubernetesJson.Serialize((object)item))!));
}
