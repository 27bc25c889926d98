using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.TrainingJobs;

/// <summary>
/// I6: nothing is let go before all pods exist. I7: attempts grow, and one at a time may run. I8: whatever the order of fates,
/// stale caches and crashes, the job comes to an end when they stop, with every restart counted once.
/// </summary>
public sealed class ConvergenceTests
{
    private enum Step
    {
        Reconcile, CrashingReconcile, RefreshJobs, RefreshPods, RefreshAll, Admit, Advance, Kubelet, Fail, Recover, Disrupt, DeletePod, Reject, Preempt, Hang, Jump, Suspend, Resume, Cancel,
    }

    private static readonly Gen<(Step Step, int Number)[]> Histories = Gen.Select(
        Gen.Frequency(
            (20, Gen.Enum<Step>().Where(step => step <= Step.Admit)), (15, Gen.Const(Step.CrashingReconcile)), (12, Gen.Const(Step.RefreshAll)), (3, Gen.Const(Step.Advance)), (20, Gen.Const(Step.Kubelet)), (2, Gen.Const(Step.Fail)),
            (1, Gen.Const(Step.Recover)), (1, Gen.Const(Step.Disrupt)), (1, Gen.Const(Step.DeletePod)),
            (1, Gen.Const(Step.Reject)), (1, Gen.Const(Step.Preempt)), (4, Gen.Const(Step.Hang)), (2, Gen.Const(Step.Jump)), (1, Gen.Int[0, 2].Select(way => way == 0 ? Step.Suspend : Step.Resume))),
        Gen.Int[0, 9]).Array[20, 200];

    [Fact]
    public Task A_job_always_comes_to_its_end() => Histories.SampleAsync(async history =>
    {
        var world = new World(AJob.Named().Nodes(3).Restarts(2).With(job =>
        {
            (job.Spec.Recovery!.RecoverOnExitCodes, job.Spec.Recovery.HangTimeout) = ([75], "1s");
            job.Spec.Elastic = new Elastic { MinNodes = 1 };
        }).Build());
        foreach (var (step, number) in history) await DoAsync(world, step, number);
        await CalmAsync(world);
        var status = world.Job!.Status!;
        status.HasEnded().ShouldBeTrue($"{status.Phase} {status.Reason}: {status.Message}");
        world.Pods.ShouldAllBe(pod => pod.IsTerminal());
        // A suspended attempt is no restart, so that there may be more attempts than restarts explain, but never fewer.
        var restarts = (status.Restarts?.Counted ?? 0) + (status.Restarts?.Infrastructure ?? 0) + (status.Restarts?.Recovered ?? 0)
            + world.Events.All.Count(told => told.Reason == "Requeued");
        var suspensions = world.Events.All.Count(told => told.Reason == "Suspended");
        status.Attempt!.Value.ShouldBeInRange(restarts + 1, restarts + 1 + suspensions);
        world.Events.All.Count(told => told.Reason is "Completed").ShouldBe(status.Phase == TrainingJobPhase.Succeeded ? 1 : 0);
    }, iter: 150);

    [Fact]
    public Task A_cancelled_job_always_ends_and_lets_its_nodes_go() => Histories.SampleAsync(async history =>
    {
        var world = new World(AJob.Named().Nodes(2).Restarts(9).Build());
        foreach (var (step, number) in history) await DoAsync(world, step, number);
        world.Cancel();
        await CalmAsync(world);
        world.Job!.Status!.HasEnded().ShouldBeTrue();
        world.Pods.ShouldAllBe(pod => pod.IsTerminal());
    }, iter: 40);

    [Fact]
    public async Task A_job_of_many_ranks_takes_few_requests_a_rank()
    {
        var world = new World(AJob.Named().Nodes(100).Build());
        await CalmAsync(world);
        world.Job!.Status!.Phase.ShouldBe(TrainingJobPhase.Succeeded);
        // Create and release by the operator; bind, run and end by the kubelet; a few objects and reports.
        world.Api.Requests.ShouldBeLessThan((100 * 5) + 150);
    }

    private static async Task DoAsync(World world, Step step, int number)
    {
        var pod = world.Pods.Count == 0 ? null : world.Pods.OrderBy(pod => pod.Metadata.Name).ElementAt(number % world.Pods.Count);
        switch (step)
        {
            case Step.Reconcile: await world.ReconcileAsync(); break;
            case Step.CrashingReconcile: await world.ReconcileAsync(crashAfter: number); break;
            case Step.RefreshJobs: world.RefreshJobs(); break;
            case Step.RefreshPods: world.RefreshPods(); break;
            case Step.RefreshAll: await SettleAsync(world); break;
            case Step.Admit: world.Admit(more: number); break;
            case Step.Reject when pod is not null: world.Reject(pod); break;
            case Step.Preempt: world.Preempt(); break;
            case Step.Hang: world.FallSilent(); break;
            case Step.Jump: world.Jump(TimeSpan.FromHours(number - 4)); break;
            case Step.Advance: world.Wait(TimeSpan.FromSeconds(3 * number)); break;
            case Step.Suspend or Step.Resume: world.Suspend(step == Step.Suspend); break;
            case Step.Kubelet when pod is not null: world.Kubelet(pod, 0); break;
            case Step.Fail when pod?.Status?.Phase == "Running": world.Kubelet(pod, 1); break;
            case Step.Recover when pod?.Status?.Phase == "Running": world.Kubelet(pod, 75); break;
            case Step.Disrupt when pod is not null: world.Disrupt(pod); break;
            case Step.DeletePod when pod is not null: world.DeletePod(pod); break;
            default: break;
        }
    }

    private static async Task SettleAsync(World world)
    {
        world.RefreshJobs();
        world.RefreshPods();
        await world.ReconcileAsync();
    }

    // From here on nothing goes wrong.
    private static async Task CalmAsync(World world)
    {
        world.Suspend(false);
        for (var round = 0; round < 60 && !(world.Job?.Status is { } status && status.HasEnded() && world.Pods.All(pod => pod.IsTerminal())); round++)
        {
            await SettleAsync(world);
            world.Admit();
            foreach (var pod in world.Pods) world.Kubelet(pod, 0);
            world.Wait(TimeSpan.FromSeconds(6));
        }
    }
}
