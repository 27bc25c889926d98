using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Tests.Fakes;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.TrainingJobs;

/// <summary>One job on a few nodes, with a scheduler, kubelets and people, which do one thing at a time and check the invariants as they go.</summary>
internal sealed class World
{
    private readonly WallClock _wall = new(new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));
    private readonly FakeCache<TrainingJob> _jobs;
    private readonly FakeCache<PodView> _pods;
    private readonly FakeCache<Storage> _storages;
    private readonly FakeCache<NodeView> _nodes;
    private readonly HashSet<string> _created = [];
    private readonly Dictionary<int, int> _sizes = [];
    private readonly int _asked;
    private readonly AdmissionModes _modes;
    private readonly ObjectKey _key;
    private TrainingJobReconciler _reconciler;
    private Heartbeats _heartbeats = null!;
    private int _crashAfter = -1;

    public World(TrainingJob job, Func<FakeKubeApi, AdmissionModes>? modes = null)
    {
        Api = new FakeKubeApi(Time) { Intercept = (verb, plural) => CrashSometimes(verb, plural) };
        _modes = modes?.Invoke(Api) ?? AdmissionModes.None;
        _asked = job.Spec.Nodes ?? 1;
        _key = job.Key();
        _jobs = new FakeCache<TrainingJob>(Api);
        _pods = new FakeCache<PodView>(Api, PodFacts.JobUid);
        _storages = new FakeCache<Storage>(Api);
        _nodes = new FakeCache<NodeView>(Api);
        Make(job);
        for (var node = 0; node < job.NodeCount; node++)
        {
            Make(new NodeView { Metadata = new V1ObjectMeta { Name = $"n{node}" }, Status = new NodeViewStatus { Conditions = [new NodeConditionView { Type = "Ready", Status = "True" }] } });
        }

        _nodes.Refresh();
        _reconciler = Restarted();
    }

    public FakeTimeProvider Time => _wall;

    public FakeKubeApi Api { get; }

    public CollectedEvents Events { get; } = new();

    public TrainingJob? Job => Api.Find<TrainingJob>(_key);

    public IReadOnlyList<PodView> Pods => Api.All<PodView>();

    public void RefreshJobs() => _jobs.Refresh();

    public void RefreshPods() => _pods.Refresh();

    public void Wait(TimeSpan time) => Time.Advance(time);

    /// <summary>Somebody sets the clock.</summary>
    public void Jump(TimeSpan by) => _wall.Offset += by;

    /// <summary>One reconcile; ends after so many requests, as a crash does, when that is not negative.</summary>
    public async Task ReconcileAsync(int crashAfter = -1)
    {
        var before = Job;
        await UntilCrashAsync(_reconciler, crashAfter);
        Check(before?.Status, Job?.Status);
    }

    /// <summary>The same for the admission by another system.</summary>
    public Task AdmissionAsync(int crashAfter = -1) => UntilCrashAsync(RestartedAdmission(), crashAfter);

    private async Task UntilCrashAsync(IReconciler reconciler, int crashAfter)
    {
        _crashAfter = crashAfter;
        try
        {
            await reconciler.ReconcileAsync(_key, CancellationToken.None);
        }
        catch (CrashException)
        {
            _reconciler = Restarted();
            _crashAfter = -1;
            _jobs.Refresh(); // the next leader lists everything first
            _pods.Refresh();
        }

        _crashAfter = -1;
    }

    /// <summary>What the scheduler does with a job that waits; an elastic one gets as many nodes as it takes and some more.</summary>
    public void Admit(int more = 9)
    {
        if (Job is not { Metadata.DeletionTimestamp: null } job || job.Status is not { Phase: TrainingJobPhase.Queued or TrainingJobPhase.Restarting } status) return;
        if (job.HoldsOff(Time.GetUtcNow()) > TimeSpan.Zero) return;
        var sizes = Elasticity.SizesOf(job);
        var size = Math.Min(sizes.Most, sizes.Fewest + more);
        status.Attempt = (status.Attempt ?? 0) + 1;
        _sizes[status.Attempt.Value] = size;
        status.Admission = new AdmissionStatus { Attempt = status.Attempt.Value, Size = size, Ranks = [.. Enumerable.Range(0, size).Select(rank => new RankAssignment { Rank = rank, Node = $"n{rank}" })] };
        status.Phase = TrainingJobPhase.Admitted;
        status.Reason = "Admitted";
        status.Message = $"{size} nodes reserved";
        Done(Api.ReplaceStatusAsync(job, CancellationToken.None));
    }

    /// <summary>What the scheduler does when a more important job needs the nodes.</summary>
    public void Preempt()
    {
        if (Job is not { Status: { } status } job || !status.HasAttempt()) return;
        (status.Phase, status.Reason, status.Message) = (TrainingJobPhase.Preempting, "Preempted", "gives its nodes to another job");
        Done(Api.ReplaceStatusAsync(job, CancellationToken.None));
    }

    /// <summary>What a kubelet does next with a pod: take it up, run it, end it so.</summary>
    public void Kubelet(PodView pod, int exit)
    {
        if (pod.IsTerminating()) Api.Remove<PodView>(pod.Key());
        else if (pod.IsTerminal() || pod.IsGated()) return;
        else if (pod.Spec.NodeName is null) Patch(pod, "spec", new JsonObject { ["nodeName"] = pod.Spec.NodeSelector?.GetValueOrDefault("kubernetes.io/hostname") ?? $"n{pod.Rank()}" });
        else if (pod.Status?.Phase != "Running") Patch(pod, "status", State("Running", new JsonObject { ["running"] = new JsonObject() }));
        else Patch(pod, "status", State(exit == 0 ? "Succeeded" : "Failed", new JsonObject { ["terminated"] = new JsonObject { ["exitCode"] = exit } }));
    }

    /// <summary>A kubelet turns a pod away before it starts anything of it.</summary>
    public void Reject(PodView pod)
    {
        if (pod.Spec.NodeName is not null && pod.Status?.Phase is null && !pod.IsTerminating()) Patch(pod, "status", new JsonObject { ["phase"] = "Failed", ["reason"] = "OutOfcpu" });
    }

    /// <summary>The sidecars of all ranks tell that nothing was seen of them for an hour.</summary>
    public void FallSilent()
    {
        Wait(TimeSpan.FromSeconds(1));
        foreach (var pod in Pods.Where(pod => pod.Status?.Phase == "Running"))
            _heartbeats.Record(Job!.Metadata.Uid, pod.Attempt(), pod.Rank(), TimeSpan.FromHours(1), null);
    }

    /// <summary>The taint manager or a drain takes a pod.</summary>
    public void Disrupt(PodView pod)
    {
        if (pod.IsTerminal() || pod.IsGated()) return;
        Patch(pod, "status", new JsonObject { ["conditions"] = new JsonArray(new JsonObject { ["type"] = "DisruptionTarget", ["status"] = "True", ["reason"] = "EvictionByEvictionAPI" }) });
        DeletePod(pod);
    }

    public void DeletePod(PodView pod) => Done(Api.DeleteAsync<PodView>(pod.Key(), Deletion.Default, CancellationToken.None));

    public void Cancel() => Change(new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Annotations.Cancel] = "true" } } });

    public void Suspend(bool suspend) => Change(new JsonObject { ["spec"] = new JsonObject { ["suspend"] = suspend } });

    private static JsonObject State(string phase, JsonObject state) => new()
    {
        ["phase"] = phase,
        ["containerStatuses"] = new JsonArray(new JsonObject { ["name"] = Names.MainContainer, ["ready"] = phase == "Running", ["state"] = state }),
    };

    private static void Done(Task task) => task.IsCompletedSuccessfully.ShouldBeTrue(task.Exception?.ToString());

    private void Change(JsonObject patch)
    {
        if (Job is not null) Done(Api.PatchAsync<TrainingJob>(_key, new Patch(PatchKind.Merge, patch), CancellationToken.None));
    }

    private void Patch(PodView pod, string part, JsonObject value)
    {
        if (Api.Find<PodView>(pod.Key()) is not null) Done(Api.PatchAsync<PodView>(pod.Key(), new Patch(PatchKind.Merge, new JsonObject { [part] = value }), CancellationToken.None));
    }

    private void Make<T>(T item)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta> => Done(Api.CreateAsync(item, CancellationToken.None));

    private TrainingJobReconciler Restarted() => new(
        Api, _jobs, _pods, _storages, _nodes, () => new PodSettings("image", null, "http://127.0.0.1:1", null), new RendezvousKey(new byte[32]), _heartbeats = new Heartbeats(Time), new MountReports(Time), Events, Time, _modes);

    private AdmissionReconciler RestartedAdmission() => new(Api, _jobs, _pods, _nodes, _modes, Events, Time);

    private void CrashSometimes(string verb, string plural)
    {
        if (_crashAfter == 0) throw new CrashException();
        if (_crashAfter > 0) _crashAfter--;
        if (plural == "pods" && verb != "create") CheckPods();
    }

    // Before and after every change of a pod: I6 and I7.
    private void CheckPods()
    {
        foreach (var pod in Pods) _created.Add(pod.Metadata.Name);
        foreach (var open in Pods.Where(pod => !pod.IsGated()))
        {
            for (var rank = 0; rank < _sizes.GetValueOrDefault(open.Attempt(), _asked); rank++) _created.ShouldContain(Names.Pod(_key.Name, rank, open.Attempt()), $"{open.Metadata.Name} was let go before all existed");
        }

        Pods.Where(pod => !pod.IsGated() && !pod.IsTerminal()).Select(pod => pod.Attempt()).Distinct().Count().ShouldBeLessThanOrEqualTo(1, "two attempts may run at a time");
    }

    private void Check(TrainingJobStatus? before, TrainingJobStatus? after)
    {
        CheckPods();
        if (after is null) return;
        (after.Attempt ?? 0).ShouldBe(before?.Attempt ?? 0, "only the scheduler makes attempts");
        (after.Restarts?.Counted ?? 0).ShouldBeLessThanOrEqualTo(Job!.Spec.Recovery?.MaxRestarts ?? 0);
        if (before is not null && StatusConditions.HasEnded(before)) after.Phase.ShouldBe(before.Phase, "what has ended stays so");
    }

    internal sealed class CrashException : Exception;

    // Time passes at the same pace wherever the clock is set.
    private sealed class WallClock(DateTimeOffset start) : FakeTimeProvider(start)
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;

        public override long GetTimestamp() => base.GetUtcNow().Ticks;
    }
}
