using System.Globalization;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Scheduling;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Bench.Admission;

/// <summary>
/// A cluster in the caches of a scheduler, from a fixed seed. A step is about a second: what was admitted runs, what was
/// preempted gives its pods back a step later, some jobs end and some fail, and as many come as leave the queue.
/// </summary>
internal sealed class ClusterLife : IDisposable
{
    private const int EndOf = 60;
    private const int FailOf = 3000;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly PodSettings Settings = new("image", null, "http://operator:9443", null);

    private readonly Random _random = new(20260101);
    private readonly JobMix _mix;
    private readonly int _queued;
    private readonly MemoryApi _api;
    private readonly Clock _clock = new(Start);
    private readonly ObjectStore<TrainingJob> _jobs = new();
    private readonly ObjectStore<JobGroup> _groups = new();
    private readonly ObjectStore<PodView> _pods = new();
    private readonly ObjectStore<NodeView> _nodes = new();
    private readonly ObjectStore<Queue> _queues = new();

    /// <param name="nodes">Nodes of 8 GPUs.</param>
    /// <param name="queued">Gangs that wait at any time.</param>
    public ClusterLife(int nodes, int queued)
    {
        (_mix, _queued, _api) = (new JobMix(_random), queued, new MemoryApi(_jobs, _queues));
        for (var node = 0; node < nodes; node++) AddNode(node);
        for (var queue = 0; queue < JobMix.Queues.Count; queue++) AddQueue(JobMix.Queues[queue], nodes * 8 * (6 - queue) / 19, queue);
        Scheduler = new Scheduler(_api, new SchedulerCaches(_jobs, _groups, _pods, _nodes) { Queues = _queues }, job => LaunchObjects.Pod(job, Settings, new Dictionary<string, Storage>(), 0, 0), _api, _clock, NullLogger.Instance);
    }

    public Scheduler Scheduler { get; }

    public void Dispose() => Scheduler.Dispose();

    /// <summary>What happens between two passes.</summary>
    public void Step()
    {
        _clock.Now += TimeSpan.FromSeconds(1);
        var waiting = 0;
        foreach (var job in _jobs.Items.OrderBy(job => job.Metadata.Name, StringComparer.Ordinal))
        {
            switch (job.Status!.Phase)
            {
                case TrainingJobPhase.Queued or TrainingJobPhase.Restarting: waiting++; break;
                case TrainingJobPhase.Admitted: Begin(job); break;
                case TrainingJobPhase.Preempting: Leave(job); break;
                case TrainingJobPhase.Running when _random.Next(EndOf) == 0: End(job); break;
                case TrainingJobPhase.Running when _random.Next(FailOf) == 0: Fail(job); break;
                default: break;
            }
        }

        for (; waiting < _queued; waiting++) Submit();
    }

    /// <summary>How full it is.</summary>
    public string Describe()
    {
        var running = _jobs.Items.Where(job => job.Status!.HasAttempt()).ToList();
        var gpus = running.Sum(job => (job.Spec.Nodes ?? 1) * (long)(job.Accelerators?.Count ?? 0));
        return string.Create(CultureInfo.InvariantCulture, $"{running.Count:#,0} jobs run on {100d * gpus / (_nodes.Items.Count * 8):0.0} % of the GPUs, {_pods.Items.Count:#,0} pods");
    }

    private static V1Condition Holds(string type, DateTimeOffset since) => new() { Type = type, Status = "True", Reason = type, Message = "", LastTransitionTime = since.UtcDateTime };

    private void AddNode(int number)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"node-{number:00000}");
        _nodes.Put(new NodeView
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                Labels = new Dictionary<string, string>
                {
                    ["kubernetes.io/hostname"] = name,
                    [JobMix.Rack] = string.Create(CultureInfo.InvariantCulture, $"rack-{number / 32:000}"),
                    [Labels.Accelerator] = number % 10 < 7 ? "H100" : "A100",
                },
            },
            Spec = new NodeViewSpec { Unschedulable = number % 100 == 99 ? true : null, Taints = number % 50 == 49 ? [new TaintView { Key = "dedicated", Effect = "NoSchedule" }] : null },
            Status = new NodeViewStatus
            {
                Allocatable = new Dictionary<string, string> { [Names.GpuResource] = "8", ["cpu"] = "191500m", ["memory"] = "2113537528Ki", ["ephemeral-storage"] = "3400Gi", ["pods"] = "110" },
                Conditions = [new NodeConditionView { Type = "Ready", Status = "True" }],
            },
        });
        for (var daemon = 0; daemon < 3; daemon++) AddPod(new PodView { Metadata = new V1ObjectMeta { Name = $"daemon-{daemon}-{number}", NamespaceProperty = "kube-system" } }, name, "100m", "200Mi", 0);
    }

    private void AddQueue(string name, int gpus, int number) => _queues.Put(new Queue
    {
        Metadata = new V1ObjectMeta { Name = name, Generation = 1 },
        Spec = new QueueSpec { Quota = new Dictionary<string, string> { [Names.GpuResource] = gpus.ToString(CultureInfo.InvariantCulture) }, Borrowing = number % 2 == 0, Weight = 1 + (number % 3) },
    });

    private void Submit()
    {
        // Most have waited for long, a few at the end of the line are new.
        var queuedAt = (_clock.Now == Start.AddSeconds(1) ? _clock.Now - TimeSpan.FromSeconds(_random.Next(36_000)) : _clock.Now).UtcDateTime;
        if (_random.Next(100) > 0)
        {
            _api.Put(_mix.Job(queuedAt));
            return;
        }

        var (group, jobs) = _mix.Group(queuedAt);
        _groups.Put(group);
        foreach (var job in jobs) _api.Put(job);
    }

    private void Begin(TrainingJob job)
    {
        Change(job, status =>
        {
            status.Phase = TrainingJobPhase.Running;
            status.Conditions = [Holds(StatusConditions.Progressing, _clock.Now), Holds(StatusConditions.PodsReady, _clock.Now)];
        });
        foreach (var rank in job.Status!.Admission!.Ranks!)
        {
            var labels = new Dictionary<string, string> { [Labels.JobUid] = job.Metadata.Uid, [Labels.Attempt] = $"{job.Status.Attempt}", [Labels.Rank] = $"{rank.Rank}" };
            var metadata = new V1ObjectMeta { Name = Names.Pod(job.Metadata.Name, rank.Rank, job.Status.Attempt!.Value), NamespaceProperty = "team", Labels = labels };
            AddPod(new PodView { Metadata = metadata }, rank.Node, job.Spec.Resources!.Cpus!, job.Spec.Resources.Memory!, job.Accelerators?.Count ?? 0);
        }
    }

    private void AddPod(PodView pod, string node, string cpus, string memory, int gpus)
    {
        var requests = new Dictionary<string, string> { ["cpu"] = cpus, ["memory"] = memory };
        if (gpus > 0) requests[Names.GpuResource] = $"{gpus}";
        pod.Spec = new PodViewSpec { NodeName = node, Containers = [new ContainerView { Name = "main", Resources = new ContainerResourcesView { Requests = requests } }] };
        pod.Status = new PodViewStatus { Phase = "Running" };
        _pods.Put(pod);
    }

    // Told to end in one step, gone in the next.
    private void Leave(TrainingJob job)
    {
        var pods = PodsOf(job);
        if (pods.Exists(pod => pod.IsTerminating())) Change(job, status => (status.Phase, status.Admission, status.Queue) = (TrainingJobPhase.Queued, null, new QueueStatus { QueuedAt = _clock.Now.UtcDateTime }));
        foreach (var pod in pods)
        {
            if (pod.IsTerminating()) _pods.Remove(pod.Key());
            else _pods.Put(new PodView { Metadata = new V1ObjectMeta { Name = pod.Metadata.Name, NamespaceProperty = "team", Labels = pod.Metadata.Labels, DeletionTimestamp = _clock.Now.AddSeconds(30).UtcDateTime }, Spec = pod.Spec, Status = pod.Status });
        }
    }

    // A group that is over is as good as gone.
    private void End(TrainingJob job)
    {
        foreach (var pod in PodsOf(job)) _pods.Remove(pod.Key());
        if (job.ControllerOwner() is null) _jobs.Remove(job.Key());
        else Change(job, status => (status.Phase, status.Admission) = (TrainingJobPhase.Succeeded, null));
    }

    private void Fail(TrainingJob job)
    {
        foreach (var pod in PodsOf(job)) _pods.Remove(pod.Key());
        Change(job, status =>
        {
            status.Phase = TrainingJobPhase.Restarting;
            status.Admission!.Ranks!.RemoveAt(0);
            status.Retry = new RetryStatus { NotBefore = _clock.Now.AddSeconds(2).UtcDateTime };
        });
    }

    private List<PodView> PodsOf(TrainingJob job) => [.. Enumerable.Range(0, job.Spec.Nodes ?? 1).Select(rank => _pods.Find(new ObjectKey("team", Names.Pod(job.Metadata.Name, rank, job.Status!.Attempt ?? 0)))).OfType<PodView>()];

    private void Change(TrainingJob job, Action<TrainingJobStatus> change)
    {
        var status = job.Status.Copy();
        change(status);
        _api.Put(new TrainingJob { Metadata = job.Metadata, Spec = job.Spec, Status = status });
    }

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
