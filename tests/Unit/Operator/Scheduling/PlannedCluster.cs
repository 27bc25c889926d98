using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.Scheduling;

/// <summary>A cluster in few words, for plans: nodes of 8 GPUs, jobs with so many GPUs a rank.</summary>
internal sealed class PlannedCluster
{
    public static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly List<NodeView> _nodes = [];
    private readonly List<Queue> _queues = [];
    private readonly List<TrainingJob> _jobs = [];
    private readonly List<PodView> _pods = [];

    public PlannedCluster Node(string name, string? rack = null)
    {
        _nodes.Add(new NodeView
        {
            Metadata = new V1ObjectMeta { Name = name, Labels = rack is null ? null : new Dictionary<string, string> { ["topology.kubernetes.io/rack"] = rack } },
            Status = new NodeViewStatus { Allocatable = new Dictionary<string, string> { [Names.GpuResource] = "8" }, Conditions = [new NodeConditionView { Type = "Ready", Status = "True" }] },
        });
        return this;
    }

    public PlannedCluster Queue(string name, int gpus, bool borrowing = false, int weight = 1, string? ns = null)
    {
        _queues.Add(new Queue
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new QueueSpec { Quota = new Dictionary<string, string> { [Names.GpuResource] = $"{gpus}" }, Borrowing = borrowing, Weight = weight, Namespaces = ns is null ? null : [ns] },
        });
        return this;
    }

    public PlannedCluster Waits(string name, int nodes = 1, int gpus = 8, int priority = 0, int minutesAgo = 0, string? queue = null, TopologyMode? topology = null)
    {
        Add(name, nodes, gpus, priority, minutesAgo, queue, job => job.Spec.Scheduling!.Topology = topology is null ? null : new Topology { Key = "topology.kubernetes.io/rack", Mode = topology }).Status!.Phase = TrainingJobPhase.Queued;
        return this;
    }

    public PlannedCluster Runs(string name, string[] on, int gpus = 8, int priority = 0, bool preemptible = true, string? queue = null, string? minRuntime = null, int minutes = 60, int? durableAgo = null)
    {
        var job = Add(name, on.Length, gpus, priority, minutes, queue, job => (job.Spec.Scheduling!.Preemptible, job.Spec.Scheduling.MinRuntime) = (preemptible, minRuntime));
        Admit(job, on);
        job.Status!.Phase = TrainingJobPhase.Running;
        job.Status.Conditions = [new V1Condition { Type = "PodsReady", Status = "True", LastTransitionTime = Noon.AddMinutes(-minutes).UtcDateTime }];
        if (durableAgo is { } ago) job.Status.Checkpoint = new CheckpointStatus { DurableAt = Noon.AddMinutes(-ago).UtcDateTime };
        for (var rank = 0; rank < on.Length; rank++) Pod(job, rank, on[rank], gpus);
        return this;
    }

    /// <summary>It restarts and keeps all its nodes but those that are null; its old pods on them are about to end.</summary>
    public PlannedCluster Restarts(string name, string?[] kept, int gpus = 8, int priority = 0, int minutesAgo = 0, int waitMinutes = 0, bool oldPods = true)
    {
        var job = Add(name, kept.Length, gpus, priority, minutesAgo, null, _ => { });
        job.Status!.Phase = TrainingJobPhase.Restarting;
        job.Status.Attempt = 1;
        job.Status.Admission = new AdmissionStatus { Attempt = 1, Ranks = [.. kept.Select((node, rank) => (node, rank)).Where(pair => pair.node is not null).Select(pair => new RankAssignment { Rank = pair.rank, Node = pair.node! })] };
        job.Status.Retry = new RetryStatus { NotBefore = Noon.AddMinutes(waitMinutes).UtcDateTime };
        for (var rank = 0; rank < kept.Length && oldPods; rank++)
        {
            if (kept[rank] is { } node) Pod(job, rank, node, gpus, terminating: true);
        }

        return this;
    }

    /// <summary>It was preempted and its pods are about to end.</summary>
    public PlannedCluster Leaves(string name, string[] on, int gpus = 8, string? queue = null)
    {
        var job = Add(name, on.Length, gpus, 0, 60, queue, _ => { });
        Admit(job, on);
        job.Status!.Phase = TrainingJobPhase.Preempting;
        for (var rank = 0; rank < on.Length; rank++) Pod(job, rank, on[rank], gpus, terminating: true);
        return this;
    }

    public PlannedCluster With(Action<TrainingJob> change)
    {
        change(_jobs[^1]);
        return this;
    }

    public AdmissionDecision Decide() => AdmissionPlan.Make(_jobs, [], _queues, _nodes, _pods, Noon, new AdmissionOptions { PodOf = RandomCluster.PodOf });

    private TrainingJob Add(string name, int nodes, int gpus, int priority, int minutesAgo, string? queue, Action<TrainingJob> change)
    {
        var job = AJob.Named(name).Nodes(nodes).With(job =>
        {
            job.Spec.Resources = new Resources { Accelerators = $"{gpus}" };
            job.Spec.Scheduling = new Api.V1Alpha1.Scheduling { Priority = priority, Queue = queue };
            job.Status = new TrainingJobStatus { Queue = new QueueStatus { QueuedAt = Noon.AddMinutes(-minutesAgo).UtcDateTime } };
        }).With(change).Build();
        _jobs.Add(job);
        return job;
    }

    private void Pod(TrainingJob job, int rank, string node, int gpus, bool terminating = false)
    {
        var pod = APod.Of(job, rank).Running(node).With(pod => pod.Spec.Containers = [new ContainerView { Resources = new ContainerResourcesView { Requests = new Dictionary<string, string> { [Names.GpuResource] = $"{gpus}" } } }]);
        _pods.Add((terminating ? pod.Terminating(Noon) : pod).Build());
    }

    private static void Admit(TrainingJob job, string[] nodes)
    {
        job.Status!.Attempt = 1;
        job.Status.Admission = new AdmissionStatus { Attempt = 1, Ranks = [.. nodes.Select((node, rank) => new RankAssignment { Rank = rank, Node = node })] };
    }
}
