using System.Net;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Tests.Fakes;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Scheduling;

/// <summary>
/// Several jobs on few nodes of 4 GPUs each, with the scheduler, the reconcilers, kubelets, other people's pods, broken nodes and
/// an operator that crashes. One thing happens at a time, and the invariants are checked around every request.
/// </summary>
internal sealed class BusyCluster
{
    private const int GpusPerNode = 4;
    private readonly FakeCache<TrainingJob> _jobs;
    private readonly FakeCache<JobGroup> _groups;
    private readonly FakeCache<PodView> _pods;
    private readonly FakeCache<Storage> _storages;
    private readonly FakeCache<NodeView> _nodes;
    private readonly HashSet<string> _created = [];
    private readonly Dictionary<string, int> _attempts = [];
    private readonly List<string> _broken = [];
    private readonly List<TrainingJob> _all = [];
    private Operator.Scheduling.Scheduler _scheduler;
    private TrainingJobReconciler _reconciler;
    private int _crashAfter = -1;
    private int _conflictAfter = -1;
    private int _thieves;

    public BusyCluster(int nodes, params TrainingJob[] jobs)
    {
        Api = new FakeKubeApi(Time) { Intercept = Around };
        (_jobs, _groups, _pods, _storages, _nodes) = (new(Api), new(Api), new(Api, PodFacts.JobUid), new(Api), new(Api));
        for (var node = 0; node < nodes; node++) Make(Node($"n{node}", "True"));
        foreach (var job in jobs) Submit(job);
        RefreshAll();
        (_scheduler, _reconciler) = Restarted();
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));

    public FakeKubeApi Api { get; }

    public CollectedEvents Events { get; } = new();

    public IReadOnlyList<TrainingJob> Jobs => Api.All<TrainingJob>();

    public IReadOnlyList<PodView> Pods => Api.All<PodView>();

    public static TrainingJob Job(string name, int nodes, int gpus, int priority, bool preemptible, string? minRuntime = null) => AJob.Named(name).Nodes(nodes).Restarts(3).With(job =>
    {
        job.Spec.Resources = new Resources { Extended = new Dictionary<string, string> { [Names.GpuResource] = $"{gpus}" } };
        job.Spec.Scheduling = new Api.V1Alpha1.Scheduling { Priority = priority, Preemptible = preemptible, MinRuntime = minRuntime };
    }).Build();

    public void Submit(TrainingJob job)
    {
        _all.Add(job);
        Make(job);
    }

    public void RefreshAll()
    {
        RefreshJobs();
        _pods.Refresh();
        _nodes.Refresh();
    }

    public void RefreshJobs() => _jobs.Refresh();

    public async Task ScheduleAsync(int crashAfter = -1, int conflictAfter = -1)
    {
        var before = Jobs;
        await WithFaultsAsync(() => _scheduler.PassAsync(CancellationToken.None), crashAfter, conflictAfter);
        foreach (var job in Jobs) CheckDecision(before.Single(known => known.Metadata.Uid == job.Metadata.Uid), job, before);
        Check();
    }

    public async Task ReconcileAsync(TrainingJob job, int crashAfter = -1, int conflictAfter = -1)
    {
        await WithFaultsAsync(() => _reconciler.ReconcileAsync(job.Key(), CancellationToken.None), crashAfter, conflictAfter);
        Check();
    }

    /// <summary>What a kubelet or the scheduler of Kubernetes does next with a pod.</summary>
    public void Kubelet(PodView pod, int exit)
    {
        var node = pod.Spec.NodeName ?? pod.Spec.NodeSelector?.GetValueOrDefault("kubernetes.io/hostname");
        if (pod.IsTerminating()) Api.Remove<PodView>(pod.Key());
        else if (pod.JobUid() is null || pod.IsTerminal() || pod.IsGated() || !IsReady(node!)) return;
        else if (pod.Spec.NodeName is null && Free(node!) >= Gpus(pod)) Patch(pod, "spec", new JsonObject { ["nodeName"] = node });
        else if (pod.Spec.NodeName is null) return;
        else if (pod.Status?.Phase != "Running") Patch(pod, "status", State("Running", new JsonObject { ["running"] = new JsonObject() }));
        else Patch(pod, "status", State(exit == 0 ? "Succeeded" : "Failed", new JsonObject { ["terminated"] = new JsonObject { ["exitCode"] = exit } }));
    }

    /// <summary>Somebody else's pod is put on a node that has the room, reserved or not.</summary>
    public void Steal(string node)
    {
        if (Free(node) < 2 || _thieves > 3) return;
        Make(new PodView
        {
            Metadata = new V1ObjectMeta { Name = $"thief-{++_thieves}-{Time.GetUtcNow().Ticks}", NamespaceProperty = "other", Uid = $"thief-{Time.GetUtcNow().Ticks}-{_thieves}" },
            Spec = new PodViewSpec { NodeName = node, Containers = [new ContainerView { Name = "c", Resources = new ContainerResourcesView { Requests = new Dictionary<string, string> { [Names.GpuResource] = "2" } } }] },
            Status = new PodViewStatus { Phase = "Running" },
        });
    }

    public void EndThieves()
    {
        foreach (var pod in Pods.Where(pod => pod.JobUid() is null)) Api.Remove<PodView>(pod.Key());
        _thieves = 0;
    }

    public void SetReady(string node, bool ready)
    {
        if (IsReady(node) != ready) Done(Api.PatchAsync<NodeView>(new ObjectKey("", node), new Patch(PatchKind.Merge, new JsonObject { ["status"] = new JsonObject { ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = ready ? "True" : "Unknown" }) } }), CancellationToken.None));
    }

    public bool IsReady(string node) => Api.Find<NodeView>(new ObjectKey("", node))!.Status!.Conditions![0].Status == "True";

    private static NodeView Node(string name, string ready) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, Labels = new Dictionary<string, string> { ["kubernetes.io/hostname"] = name } },
        Status = new NodeViewStatus { Allocatable = new Dictionary<string, string> { [Names.GpuResource] = $"{GpusPerNode}", ["cpu"] = "64", ["memory"] = "512Gi" }, Conditions = [new NodeConditionView { Type = "Ready", Status = ready }] },
    };

    private static JsonObject State(string phase, JsonObject state) => new()
    {
        ["phase"] = phase,
        ["containerStatuses"] = new JsonArray(new JsonObject { ["name"] = Names.MainContainer, ["ready"] = phase == "Running", ["state"] = state }),
    };

    private static void Done(Task task) => task.IsCompletedSuccessfully.ShouldBeTrue(task.Exception?.ToString());

    private static int Gpus(PodView pod) => (int)PodRequests.Of(pod).GetValueOrDefault(Names.GpuResource);

    private int Free(string node) => GpusPerNode - Pods.Where(pod => pod.Spec.NodeName == node && !pod.IsTerminal()).Sum(Gpus);

    private void Patch(PodView pod, string part, JsonObject value)
    {
        if (Api.Find<PodView>(pod.Key()) is not null) Done(Api.PatchAsync<PodView>(pod.Key(), new Patch(PatchKind.Merge, new JsonObject { [part] = value }), CancellationToken.None));
    }

    private void Make<T>(T item)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> => Done(Api.CreateAsync(item, CancellationToken.None));

    private async Task WithFaultsAsync(Func<Task> act, int crashAfter, int conflictAfter)
    {
        (_crashAfter, _conflictAfter) = (crashAfter, conflictAfter);
        try
        {
            await act();
        }
        catch (CrashException)
        {
            (_scheduler, _reconciler) = Restarted();
            RefreshAll(); // the next leader lists everything first
        }

        (_crashAfter, _conflictAfter) = (-1, -1);
    }

    private (Operator.Scheduling.Scheduler Scheduler, TrainingJobReconciler Reconciler) Restarted()
    {
        _scheduler?.Dispose();
        var settings = new PodSettings("image", null, "http://127.0.0.1:1", null);
        var scheduler = new Operator.Scheduling.Scheduler(Api, new SchedulerCaches(_jobs, _groups, _pods, _nodes), job => LaunchObjects.Pod(job, settings, new Dictionary<string, Storage>(), 0, 0), Events, Time, NullLogger.Instance);
        return (scheduler, new TrainingJobReconciler(Api, _jobs, _pods, _storages, _nodes, () => settings, new RendezvousKey(new byte[32]), new Heartbeats(Time), new MountReports(Time), Events, Time, AdmissionModes.None));
    }

    private void Around(string verb, string plural)
    {
        if (_crashAfter == 0) throw new CrashException();
        if (_conflictAfter == 0 && verb == "status")
        {
            _conflictAfter = -1;
            throw new KubeApiException(HttpStatusCode.Conflict, "Conflict", "somebody else was faster");
        }

        if (_crashAfter > 0) _crashAfter--;
        if (_conflictAfter > 0) _conflictAfter--;
        if (plural == "pods" && verb != "create") Look();
    }

    // I6, I7 and I1 on what runs. Collected, because the operator may catch what is thrown here.
    private void Look()
    {
        var pods = Pods;
        foreach (var pod in pods) _created.Add(pod.Metadata.Name);
        foreach (var job in _all)
        {
            var own = pods.Where(pod => pod.JobUid() == job.Metadata.Uid && !pod.IsGated()).ToList();
            foreach (var open in own)
            {
                if (Enumerable.Range(0, job.Spec.Nodes!.Value).Any(rank => !_created.Contains(Names.Pod(job.Metadata.Name, rank, open.Attempt())))) _broken.Add($"{open.Metadata.Name} was let go before all existed");
            }

            var live = own.Where(pod => !pod.IsTerminal() && !(pod.IsTerminating() && !IsReady(pod.Spec.NodeName!))).ToList();
            if (live.Select(pod => pod.Attempt()).Distinct().Count() > 1) _broken.Add($"two attempts of {job.Metadata.Name} may run at a time");
        }

        foreach (var node in pods.Select(pod => pod.Spec.NodeName).OfType<string>().Distinct())
        {
            if (pods.Where(pod => pod.Spec.NodeName == node && !pod.IsTerminal()).Sum(Gpus) > GpusPerNode) _broken.Add($"{node} is oversubscribed");
        }
    }

    private void Check()
    {
        Look();
        _broken.ShouldBeEmpty();
        foreach (var job in Jobs)
        {
            var attempt = job.Status?.Attempt ?? 0;
            attempt.ShouldBeGreaterThanOrEqualTo(_attempts.GetValueOrDefault(job.Metadata.Name));
            _attempts[job.Metadata.Name] = attempt;
            if (job.Status is { } status && status.HasAttempt()) status.Admission!.Ranks!.Select(rank => rank.Rank).ShouldBe(Enumerable.Range(0, job.Spec.Nodes!.Value), "I2");
        }
    }

    // I4: who gives way is lower than somebody who waits, and has agreed. I2 and I1 at the level of reservations.
    private void CheckDecision(TrainingJob before, TrainingJob after, IReadOnlyList<TrainingJob> all)
    {
        if (after.Status?.Phase == TrainingJobPhase.Preempting && before.Status?.Phase != TrainingJobPhase.Preempting)
        {
            after.Spec.Scheduling!.Preemptible.ShouldBe(true);
            all.ShouldContain(job => job.Spec.Scheduling!.Priority > after.Spec.Scheduling.Priority && (job.Status!.Phase == TrainingJobPhase.Queued || job.Status.Phase == TrainingJobPhase.Restarting));
        }

        if ((after.Status?.Attempt ?? 0) == (before.Status?.Attempt ?? 0)) return;
        foreach (var node in after.Status!.Admission!.Ranks!.Select(rank => rank.Node).Distinct())
        {
            Jobs.Where(job => job.Status!.HasAttempt() || NodeSnapshot.Keeps(job)).Sum(job => job.Status!.Admission!.Ranks!.Count(rank => rank.Node == node && !HasEnded(job, rank.Rank)) * int.Parse(job.Spec.Resources!.Extended![Names.GpuResource], System.Globalization.CultureInfo.InvariantCulture))
                .ShouldBeLessThanOrEqualTo(GpusPerNode, $"{node} is promised twice");
        }
    }

    private bool HasEnded(TrainingJob job, int rank) => Pods.Any(pod => pod.JobUid() == job.Metadata.Uid && pod.Attempt() == job.Status!.Attempt && pod.Rank() == rank && pod.IsTerminal());

    internal sealed class CrashException : Exception;
}
