using System.Globalization;
using k8s.Models;
using Trestle.Api.V1Alpha1;

namespace Trestle.Bench.Admission;

/// <summary>Jobs as a cluster of 8-GPU nodes sees them: most are small, some span many nodes, some belong to groups.</summary>
internal sealed class JobMix(Random random)
{
    public const string Rack = "topology.kubernetes.io/rack";

    private static readonly (int Ranks, int Weight)[] Ranks = [(1, 50), (2, 20), (4, 15), (8, 10), (16, 4), (32, 1)];
    private static readonly (int Gpus, int Weight)[] Gpus = [(8, 50), (4, 15), (2, 10), (1, 20), (0, 5)];
    private static readonly (int Priority, int Weight)[] Priorities = [(0, 70), (1, 15), (5, 10), (10, 5)];

    /// <summary>Names of the queues, the first with the largest quota.</summary>
    public static IReadOnlyList<string> Queues { get; } = ["pretraining", "research", "vision", "speech", "platform", "interns"];

    private int _made;

    /// <summary>A job that waits since then.</summary>
    public TrainingJob Job(DateTime queuedAt)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"job-{_made++:0000000}");
        var ranks = Pick(Ranks);
        var gpus = ranks > 4 ? 8 : Pick(Gpus);
        return new TrainingJob
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "team", Uid = Guid(), Generation = 1, CreationTimestamp = queuedAt },
            Spec = new TrainingJobSpec
            {
                Nodes = ranks,
                Run = "python3 train.py",
                Image = "image",
                Resources = new Resources { Cpus = gpus == 0 ? "8" : $"{gpus * 20}", Memory = $"{Math.Max(gpus, 1) * 64}Gi", Accelerators = gpus == 0 ? null : $"{(random.Next(10) < 7 ? "H100" : "A100")}:{gpus}" },
                Scheduling = new Scheduling
                {
                    Priority = Pick(Priorities),
                    Preemptible = random.Next(10) < 4,
                    MinRuntime = random.Next(4) == 0 ? "5m" : null,
                    Queue = random.Next(10) == 0 ? null : Queues[Math.Min(random.Next(Queues.Count), random.Next(Queues.Count))],
                    Topology = ranks > 1 && random.Next(4) == 0 ? new Topology { Key = Rack, Mode = random.Next(2) == 0 ? TopologyMode.Preferred : TopologyMode.Required } : null,
                },
            },
            Status = new TrainingJobStatus { Phase = TrainingJobPhase.Queued, Queue = new QueueStatus { QueuedAt = queuedAt } },
        };
    }

    /// <summary>A group of two tasks that start together, and their jobs.</summary>
    public (JobGroup Group, TrainingJob[] Jobs) Group(DateTime queuedAt)
    {
        TrainingJob[] jobs = [Job(queuedAt), Job(queuedAt)];
        var group = new JobGroup
        {
            Metadata = new V1ObjectMeta { Name = "group-" + jobs[0].Metadata.Name, NamespaceProperty = "team", Uid = Guid(), Generation = 1 },
            Spec = new JobGroupSpec { Tasks = [.. jobs.Select((job, task) => new JobGroupTask { Name = $"task{task}", Job = job.Spec })] },
        };
        foreach (var job in jobs)
        {
            job.Spec.Scheduling!.Queue = jobs[0].Spec.Scheduling!.Queue;
            job.Metadata.OwnerReferences = [new V1OwnerReference { ApiVersion = group.ApiVersion, Kind = JobGroup.KubeKind, Name = group.Metadata.Name, Uid = group.Metadata.Uid, Controller = true }];
        }

        return (group, jobs);
    }

    private int Pick((int Value, int Weight)[] choices)
    {
        var at = random.Next(choices.Sum(choice => choice.Weight));
        foreach (var (value, weight) in choices)
        {
            if ((at -= weight) < 0) return value;
        }

        throw new InvalidOperationException("the weights are their sum");
    }

    private string Guid()
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes).ToString();
    }
}
