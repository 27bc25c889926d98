using System.Text.Json.Nodes;
using CsCheck;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Scheduling.Modes.Kueue;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Tests.Fakes;
using Trestle.Operator.Tests.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Scheduling.Modes;

/// <summary>
/// Whatever the order of admissions, evictions, failures, stale caches and crashes: quota is not given back while a pod may
/// run, admission and conditions agree in every version, and the job comes to its end and Kueue hears of it.
/// </summary>
public sealed class KueueConvergenceTests
{
    private static readonly ObjectKey Key = new("research", "trainingjob-train");

    private enum Step
    {
        Reconcile, CrashingReconcile, Admission, CrashingAdmission, RefreshJobs, RefreshPods, RefreshWorkloads, RefreshAll, Admit, Evict, Kubelet, Fail, DeletePod, Suspend, Resume, Advance,
    }

    private static readonly Gen<(Step Step, int Number)[]> Histories = Gen.Select(
        Gen.Frequency(
            (20, Gen.Enum<Step>().Where(step => step < Step.Kubelet)), (20, Gen.Const(Step.RefreshAll)), (20, Gen.Const(Step.Kubelet)), (1, Gen.Const(Step.Fail)), (1, Gen.Const(Step.DeletePod)),
            (1, Gen.Int[0, 2].Select(way => way == 0 ? Step.Suspend : Step.Resume)), (3, Gen.Const(Step.Advance))),
        Gen.Int[0, 9]).Array[20, 150];

    [Fact]
    public Task A_job_of_kueue_always_comes_to_its_end() => Histories.SampleAsync(async history =>
    {
        var world = new KueueWorld();
        foreach (var (step, number) in history)
        {
            await world.DoAsync(step, number);
            world.Check();
        }

        await world.CalmAsync();
        var status = world.Job.Status!;
        status.Phase.ShouldBe(TrainingJobPhase.Succeeded, $"{status.Reason}: {status.Message}");
        world.Workload!.Holds(KueueApi.Finished).ShouldBeTrue();
    }, iter: 100);

    private sealed class KueueWorld
    {
        private readonly World _world;
        private FakeCache<KueueWorkloadView> _workloads = null!;

        public KueueWorld()
        {
            var job = AJob.Named().Nodes(2).Restarts(100).With(job => job.Spec.Scheduling = new Api.V1Alpha1.Scheduling { Queue = "q" }).Build();
            _world = new World(job, api => Modes(api));
        }

        public TrainingJob Job => _world.Job!;

        public KueueWorkloadView? Workload => _world.Api.Find<KueueWorkloadView>(Key);

        public async Task DoAsync(Step step, int number)
        {
            var pod = _world.Pods.Count == 0 ? null : _world.Pods.OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal).ElementAt(number % _world.Pods.Count);
            switch (step)
            {
                case Step.Reconcile: await _world.ReconcileAsync(); break;
                case Step.CrashingReconcile: await _world.ReconcileAsync(crashAfter: number); break;
                case Step.Admission: await _world.AdmissionAsync(); break;
                case Step.CrashingAdmission: await _world.AdmissionAsync(crashAfter: number % 3); break;
                case Step.RefreshJobs: _world.RefreshJobs(); break;
                case Step.RefreshPods: _world.RefreshPods(); break;
                case Step.RefreshWorkloads: _workloads.Refresh(); break;
                case Step.RefreshAll: await SettleAsync(); break;
                case Step.Admit: Admit(); break;
                case Step.Evict: Evict(); break;
                case Step.Advance: _world.Wait(TimeSpan.FromSeconds(3 * number)); break;
                case Step.Suspend or Step.Resume: _world.Suspend(step == Step.Suspend); break;
                case Step.Kubelet when pod is not null: _world.Kubelet(pod, 0); break;
                case Step.Fail when pod?.Status?.Phase == "Running": _world.Kubelet(pod, 1); break;
                case Step.DeletePod when pod is not null: _world.DeletePod(pod); break;
                default: break;
            }
        }

        public async Task CalmAsync()
        {
            _world.Suspend(false);
            for (var round = 0; round < 80 && Workload?.Holds(KueueApi.Finished) != true; round++)
            {
                await SettleAsync();
                Admit();
                foreach (var pod in _world.Pods) _world.Kubelet(pod, 0);
                _world.Wait(TimeSpan.FromSeconds(6));
                Check();
            }
        }

        public void Check()
        {
            if (Workload is not { } workload) return;
            (workload.Status?.Admission is not null).ShouldBe(workload.Holds(KueueApi.QuotaReserved), "admission and conditions disagree");
            if (!workload.HasQuota) _world.Pods.ShouldNotContain(pod => !pod.IsGated() && !pod.IsTerminal(), "a pod runs without quota");
        }

        private async Task SettleAsync()
        {
            _world.RefreshJobs();
            _world.RefreshPods();
            _workloads.Refresh();
            await _world.AdmissionAsync();
            _world.RefreshJobs();
            _workloads.Refresh();
            await _world.ReconcileAsync();
        }

        private void Admit()
        {
            if (Workload is not { } workload || workload.HasQuota || workload.Holds(KueueApi.Finished)) return;
            var admission = JsonNode.Parse("""{"clusterQueue":"cq","podSetAssignments":[{"name":"main","count":2,"flavors":{"cpu":"h100"}}]}""");
            Set(workload, admission, (KueueApi.QuotaReserved, true), (KueueApi.Admitted, true), (KueueApi.Evicted, false));
        }

        private void Evict()
        {
            if (Workload is { } workload && workload.IsAdmitted && !workload.Holds(KueueApi.Finished)) Set(workload, null, (KueueApi.Evicted, true));
        }

        private void Set(KueueWorkloadView workload, JsonNode? admission, params (string Type, bool Holds)[] changes)
        {
            var conditions = workload.Status?.Conditions ?? [];
            foreach (var (type, holds) in changes) Conditions.Set(conditions, type, holds, holds && type == KueueApi.Evicted ? "Preempted" : type, "", 1, _world.Time.GetUtcNow());
            var status = new JsonObject { ["conditions"] = System.Text.Json.JsonSerializer.SerializeToNode(conditions, OperatorJson.Default.ListV1Condition) };
            if (admission is not null) status["admission"] = admission;
            _world.Api.PatchAsync<KueueWorkloadView>(Key, new Patch(PatchKind.Merge, new JsonObject { ["status"] = status }), CancellationToken.None).IsCompletedSuccessfully.ShouldBeTrue();
        }

        private AdmissionModes Modes(FakeKubeApi api)
        {
            _workloads = new FakeCache<KueueWorkloadView>(api);
            var queue = new KueueLocalQueueView { Metadata = new V1ObjectMeta { Name = "q", NamespaceProperty = "research" } };
            var flavor = new KueueFlavorView { Metadata = new V1ObjectMeta { Name = "h100" } };
            var pod = new V1Pod { Spec = new V1PodSpec { Containers = [new V1Container { Name = "main" }] } };
            var kueue = new KueueMode(new Kind(_workloads), new FixedKind<KueueLocalQueueView>(true, queue), new FixedKind<KueueFlavorView>(true, flavor), _ => pod);
            return new AdmissionModes([kueue], kueue.IsLocalQueue);
        }
    }

    private sealed class Kind(FakeCache<KueueWorkloadView> cache) : IOptionalCache<KueueWorkloadView>
    {
        public bool IsServed => true;

        public IObjectCache<KueueWorkloadView> Cache => cache;
    }
}
