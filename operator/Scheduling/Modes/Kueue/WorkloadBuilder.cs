using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes.Kueue;

/// <summary>A job → its Workload. Pure.</summary>
internal static class WorkloadBuilder
{
    private static readonly ResourceKind JobKind = ResourceKind.Of<TrainingJob>();

    /// <summary>Name of the Workload of a job.</summary>
    public static string Name(TrainingJob job) => $"trainingjob-{job.Metadata.Name}";

    /// <summary>The Workload.</summary>
    /// <param name="job">The job; has a queue.</param>
    /// <param name="pod">The pod of any rank.</param>
    public static KueueWorkload Build(TrainingJob job, V1Pod pod) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = Name(job),
            NamespaceProperty = job.Metadata.NamespaceProperty,
            Labels = new Dictionary<string, string>(StringComparer.Ordinal) { [Labels.ManagedBy] = Labels.ManagedByValue, [Labels.JobUid] = job.Metadata.Uid, [Labels.JobName] = job.Metadata.Name },
            OwnerReferences = [job.AsController(JobKind)],
        },
        Spec = new KueueWorkloadSpec
        {
            QueueName = job.Spec.Scheduling?.Queue ?? "",
            Priority = job.Spec.Scheduling?.Priority ?? 0,
            PodSets = [new KueuePodSet { Name = KueueApi.PodSet, Count = job.NodeCount, Template = Template(pod), TopologyRequest = Topology(job.Spec.Scheduling?.Topology) }],
        },
    };

    private static KueueTopologyRequest? Topology(Topology? asked) => asked is null ? null : new KueueTopologyRequest
    {
        Required = asked.Mode != TopologyMode.Preferred ? asked.Key : null,
        Preferred = asked.Mode == TopologyMode.Preferred ? asked.Key : null,
        PodIndexLabel = Labels.Rank,
    };

    // What counts against quota and what chooses flavors; no commands and no environment, which others need not see.
    private static JsonObject Template(V1Pod pod)
    {
        var spec = new V1PodSpec
        {
            RestartPolicy = pod.Spec.RestartPolicy,
            NodeSelector = pod.Spec.NodeSelector,
            Affinity = pod.Spec.Affinity,
            Tolerations = pod.Spec.Tolerations,
            PriorityClassName = pod.Spec.PriorityClassName,
            RuntimeClassName = pod.Spec.RuntimeClassName,
            Overhead = pod.Spec.Overhead,
            InitContainers = pod.Spec.InitContainers?.Select(Slim).ToList(),
            Containers = [.. pod.Spec.Containers.Select(Slim)],
        };
        return new JsonObject { ["spec"] = JsonNode.Parse(KubernetesJson.Serialize(spec)) };
    }

    private static V1Container Slim(V1Container container) => new()
    {
        Name = container.Name,
        Image = container.Image,
        RestartPolicy = container.RestartPolicy,
        Resources = container.Resources,
    };
}
