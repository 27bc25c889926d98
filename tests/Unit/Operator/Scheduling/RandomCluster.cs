using System.Globalization;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.Scheduling;

/// <summary>A cluster with jobs in every phase, from a seed: what a pass may find after any history.</summary>
internal sealed class RandomCluster
{
    public static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly Random _random;
    private readonly Dictionary<string, int> _left = [];

    public RandomCluster(int seed)
    {
        _random = new Random(seed);
        for (var index = 0; index < _random.Next(1, 9); index++) Nodes.Add(SomeNode(index));
        if (_random.Next(2) == 0) Queues.AddRange([SomeQueue("a"), SomeQueue("b")]);
        if (_random.Next(4) == 0) Queues.Add(SomeQueue("default"));
        for (var index = 0; index < _random.Next(1, 14); index++) AddJob(SomeJob($"j{index:00}"));
        for (var index = 0; index < _random.Next(0, 3); index++) AddGroup(index);
        for (var index = 0; index < _random.Next(0, 4); index++) AddForeignPod(index);
    }

    public List<NodeView> Nodes { get; } = [];

    public List<Queue> Queues { get; } = [];

    public List<TrainingJob> Jobs { get; } = [];

    public List<JobGroup> Groups { get; } = [];

    public List<PodView> Pods { get; } = [];

    public AdmissionDecision Decide(AdmissionDecision? last = null)
    {
        var options = new AdmissionOptions { PodOf = PodOf };
        return AdmissionPlan.Make(Jobs, Groups, Queues, Nodes, Pods, Now, last is null ? options : options with { Promised = last.Promised });
    }

    public static int Gpus(TrainingJob job) => int.Parse(job.Spec.Resources!.Accelerators!, CultureInfo.InvariantCulture);

    /// <summary>A pod of so many GPUs that stands the taint when the job's name says so.</summary>
    public static V1Pod PodOf(TrainingJob job) => new()
    {
        Spec = new V1PodSpec
        {
            Containers = [new V1Container { Resources = new V1ResourceRequirements { Limits = new Dictionary<string, ResourceQuantity> { [Names.GpuResource] = new(job.Spec.Resources!.Accelerators!) } } }],
            Tolerations = Stands(job) ? [new V1Toleration { Key = "dedicated", OperatorProperty = "Exists" }] : null,
            NodeSelector = job.Spec.Env is null ? null : new Dictionary<string, string> { ["zone"] = "z1" },
        },
    };

    public static bool Stands(TrainingJob job) => job.Spec.SubmitsJobs == true;

    /// <summary>All of it, for a failed test.</summary>
    public override string ToString() => string.Join('\n', [
        .. Nodes.Select(node => $"{node.Metadata.Name}: {node.Status!.Allocatable![Names.GpuResource]} GPUs {string.Join(',', node.Metadata.Labels.Select(label => label.Value))} ready {node.Status.Conditions![0].Status} cordoned {node.Spec.Unschedulable} taints {node.Spec.Taints?.Count}"),
        .. Queues.Select(queue => $"queue {queue.Metadata.Name}: {queue.Spec.Quota![Names.GpuResource]} borrowing {queue.Spec.Borrowing}"),
        .. Jobs.Select(job => $"{job.Metadata.Name}: {job.Spec.Nodes}x{Gpus(job)} priority {job.Spec.Scheduling!.Priority} preemptible {job.Spec.Scheduling.Preemptible} queue {job.Spec.Scheduling.Queue} rack {job.Spec.Scheduling.Topology?.Mode} {job.Spec.Scheduling.Topology?.Key} stands {Stands(job)} zone {job.Spec.Env is not null} {job.Status!.Phase} since {job.Status.Queue!.QueuedAt:HH:mm} on {string.Join(',', job.Status.Admission?.Ranks?.Select(rank => $"{rank.Rank}:{rank.Node}") ?? [])}"),
        .. Pods.Select(pod => $"{pod.Metadata.Name} on {pod.Spec.NodeName} {pod.Status!.Phase} {pod.Metadata.DeletionTimestamp} {pod.Spec.Containers![0].Resources!.Requests![Names.GpuResource]}"),
    ]);

    private NodeView SomeNode(int index)
    {
        var gpus = _random.Next(9);
        _left[$"n{index}"] = gpus;
        var labels = new Dictionary<string, string> { ["zone"] = $"z{_random.Next(2)}" };
        if (_random.Next(5) > 0) labels["rack"] = $"r{_random.Next(3)}";
        return new NodeView
        {
            Metadata = new V1ObjectMeta { Name = $"n{index}", Labels = labels },
            Spec = new NodeViewSpec { Unschedulable = _random.Next(9) == 0 ? true : null, Taints = _random.Next(6) == 0 ? [new TaintView { Key = "dedicated", Effect = "NoSchedule" }] : null },
            Status = new NodeViewStatus
            {
                Allocatable = new Dictionary<string, string> { [Names.GpuResource] = $"{gpus}", ["pods"] = "9" },
                Conditions = [new NodeConditionView { Type = "Ready", Status = _random.Next(9) == 0 ? "Unknown" : "True" }],
            },
        };
    }

    private Queue SomeQueue(string name) => new()
    {
        Metadata = new V1ObjectMeta { Name = name },
        Spec = new QueueSpec
        {
            Quota = new Dictionary<string, string> { [Names.GpuResource] = $"{_random.Next(20)}" },
            Borrowing = _random.Next(2) == 0,
            BorrowingLimit = _random.Next(3) == 0 ? new Dictionary<string, string> { [Names.GpuResource] = $"{_random.Next(8)}" } : null,
            Weight = _random.Next(1, 3),
            Namespaces = _random.Next(5) == 0 ? ["elsewhere"] : null,
        },
    };

    private TrainingJob SomeJob(string name) => AJob.Named(name).Nodes(_random.Next(1, 5)).With(job =>
    {
        job.Spec.Resources = new Resources { Accelerators = $"{_random.Next(1, 9)}" };
        job.Spec.SubmitsJobs = _random.Next(4) == 0;
        job.Spec.Env = _random.Next(4) == 0 ? [] : null;
        job.Spec.Scheduling = new Api.V1Alpha1.Scheduling
        {
            Priority = _random.Next(3),
            Preemptible = _random.Next(3) > 0,
            MinRuntime = _random.Next(4) == 0 ? "5m" : null,
            Queue = Queues.Count == 0 || _random.Next(3) == 0 ? null : _random.Next(2) == 0 ? "a" : "b",
            Topology = _random.Next(4) == 0 ? new Topology { Key = "rack", Mode = _random.Next(2) == 0 ? TopologyMode.Preferred : null } : null,
        };
    }).Build();

    private void AddJob(TrainingJob job)
    {
        Jobs.Add(job);
        var ago = TimeSpan.FromMinutes(_random.Next(30));
        job.Status = new TrainingJobStatus { Phase = TrainingJobPhase.Queued, Queue = new QueueStatus { QueuedAt = (Now - ago).UtcDateTime } };
        if (_random.Next(2) == 0 || Place(job) is not { } nodes) return;
        job.Status.Attempt = 1;
        job.Status.Admission = new AdmissionStatus { Attempt = 1, Ranks = [.. nodes.Select((node, rank) => new RankAssignment { Rank = rank, Node = node })] };
        job.Status.Phase = _random.Next(6) switch { 0 => TrainingJobPhase.Admitted, 1 => TrainingJobPhase.Preempting, 2 => TrainingJobPhase.Restarting, _ => TrainingJobPhase.Running };
        if (job.Status.Phase == TrainingJobPhase.Running) job.Status.Conditions = [new V1Condition { Type = "PodsReady", Status = "True", LastTransitionTime = (Now - ago).UtcDateTime }];
        if (job.Status.Phase == TrainingJobPhase.Restarting) Restart(job, ago);
        AddPods(job, nodes);
    }

    private void Restart(TrainingJob job, TimeSpan ago)
    {
        job.Status!.Retry = new RetryStatus { NotBefore = (Now - ago + TimeSpan.FromMinutes(2)).UtcDateTime };
        job.Status.Admission!.Ranks!.RemoveAt(_random.Next(job.Status.Admission.Ranks.Count));
        if (job.Status.Admission.Ranks.Count == 0) job.Status.Admission = null;
    }

    private void AddPods(TrainingJob job, List<string> nodes)
    {
        for (var rank = 0; rank < nodes.Count; rank++)
        {
            if (job.Status!.Phase == TrainingJobPhase.Admitted && _random.Next(2) == 0) continue;
            var pod = APod.Of(job, rank).On(nodes[rank]).Phase(_random.Next(6) == 0 ? "Succeeded" : "Running").With(pod => pod.Spec.Containers = [Container(Gpus(job))]);
            if (job.Status.Phase is TrainingJobPhase.Restarting or TrainingJobPhase.Preempting && _random.Next(3) > 0) pod.Terminating(Now);
            Pods.Add(pod.Build());
        }
    }

    private void AddGroup(int index)
    {
        var group = AGroup.Named($"g{index}").Primary("a").Auxiliary("b").With(group => group.Metadata.Uid = $"uid-g{index}").Build();
        if (_random.Next(4) == 0) group.Spec.Gang = GangPolicy.PerTask;
        Groups.Add(group);
        foreach (var task in (string[])["a", "b"])
        {
            var job = AGroup.JobOf(group, task);
            var like = SomeJob("x");
            job.Spec = like.Spec;
            AddJob(job);
        }
    }

    private void AddForeignPod(int index)
    {
        var node = Nodes[_random.Next(Nodes.Count)].Metadata.Name;
        Pods.Add(new PodView
        {
            Metadata = new V1ObjectMeta { Name = $"f{index}", NamespaceProperty = "other", Uid = $"f{index}" },
            Spec = new PodViewSpec { NodeName = node, Containers = [Container(_random.Next(3))] },
            Status = new PodViewStatus { Phase = "Running" },
        });
    }

    // Where it fits by what was placed before; jobs that run obeyed their selectors once, whatever the nodes say now.
    private List<string>? Place(TrainingJob job)
    {
        var nodes = new List<string>();
        foreach (var node in Nodes.OrderBy(_ => _random.Next()))
        {
            var name = node.Metadata.Name;
            for (; nodes.Count < job.Spec.Nodes && _left[name] >= Gpus(job); _left[name] -= Gpus(job)) nodes.Add(name);
        }

        if (nodes.Count == job.Spec.Nodes) return nodes;
        foreach (var name in nodes) _left[name] += Gpus(job);
        return null;
    }

    private static ContainerView Container(int gpus) => new() { Resources = new ContainerResourcesView { Requests = new Dictionary<string, string> { [Names.GpuResource] = $"{gpus}" } } };
}
