using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.Scheduling;

/// <summary>I8, with I1, I2, I4, I6 and I7 at every step: whatever goes wrong, all jobs come to their end when it stops.</summary>
public sealed class BusyClusterTests
{
    private enum Step
    {
        Reconcile, ReconcileCrashing, ReconcileConflict, Schedule, ScheduleCrashing, ScheduleConflict, RefreshJobs, Refresh, Round, Advance, Kubelet, Fail, NodeDown, NodeUp, Steal, EndThieves,
    }

    private static readonly Gen<(Step Step, int Number)[]> Histories = Gen.Select(
        Gen.Frequency(
            (8, Gen.Enum<Step>().Where(step => step <= Step.Refresh)), (10, Gen.Const(Step.Round)), (3, Gen.Const(Step.Advance)), (6, Gen.Const(Step.Kubelet)),
            (1, Gen.Enum<Step>().Where(step => step >= Step.Fail))),
        Gen.Int[0, 99]).Array[20, 90];

    [Fact]
    public Task All_jobs_come_to_their_end() => Histories.SampleAsync(
        async history =>
        {
            var cluster = new BusyCluster(
                4,
                BusyCluster.Job("low", 3, 4, -1, preemptible: true),
                BusyCluster.Job("small", 2, 2, 0, preemptible: true, "30s"),
                BusyCluster.Job("firm", 1, 4, 0, preemptible: false),
                BusyCluster.Job("wide", 4, 4, 1, preemptible: false),
                BusyCluster.Job("high", 2, 3, 5, preemptible: true));
            foreach (var (step, number) in history) await DoAsync(cluster, step, number);
            await CalmAsync(cluster);
            cluster.Jobs.ShouldAllBe(job => job.Status != null && job.Status.HasEnded(), string.Join('\n', cluster.Jobs.Select(job => $"{job.Metadata.Name} {job.Status?.Phase}: {job.Status?.Message} / {job.Status?.Queue?.Reason}")));
            cluster.Pods.Where(pod => pod.JobUid() is not null).ShouldAllBe(pod => pod.IsTerminal());
        },
        iter: 8);

    [Fact]
    public async Task A_preempted_job_runs_again_when_the_one_that_took_its_place_is_done()
    {
        var cluster = new BusyCluster(4, BusyCluster.Job("low", 4, 4, -1, preemptible: true));
        for (var round = 0; round < 5; round++) await RoundAsync(cluster, exits: false);
        cluster.Jobs.Single().Status!.Phase.ShouldBe(TrainingJobPhase.Running);

        cluster.Submit(BusyCluster.Job("high", 3, 4, 5, preemptible: false));
        for (var round = 0; round < 8; round++) await RoundAsync(cluster, exits: false);
        cluster.Jobs.Select(job => (job.Metadata.Name, job.Status!.Phase)).ShouldBe([("low", TrainingJobPhase.Queued), ("high", TrainingJobPhase.Running)], ignoreOrder: true);
        cluster.Events.All.Count(told => told.Reason == "Preempted").ShouldBe(1);

        for (var round = 0; round < 12; round++) await RoundAsync(cluster, exits: true);
        cluster.Jobs.ShouldAllBe(job => job.Status!.Phase == TrainingJobPhase.Succeeded);
        cluster.Jobs.Single(job => job.Metadata.Name == "low").Status!.Restarts!.Preempted.ShouldBe(1);
    }

    [Fact]
    public async Task A_restart_keeps_its_nodes_while_others_wait_for_them()
    {
        var cluster = new BusyCluster(4, BusyCluster.Job("train", 4, 4, 0, preemptible: false));
        for (var round = 0; round < 5; round++) await RoundAsync(cluster, exits: false);
        cluster.Submit(BusyCluster.Job("other", 3, 4, 0, preemptible: false));
        cluster.Kubelet(cluster.Pods.First(pod => pod.Rank() == 2), 1);
        for (var round = 0; round < 6; round++) await RoundAsync(cluster, exits: false);

        cluster.Jobs.Select(job => (job.Metadata.Name, job.Status!.Phase, job.Status.Attempt)).ShouldBe([("train", TrainingJobPhase.Running, 2), ("other", TrainingJobPhase.Queued, null)], ignoreOrder: true);
    }

    private static async Task DoAsync(BusyCluster cluster, Step step, int number)
    {
        var jobs = cluster.Jobs;
        var job = jobs[number % jobs.Count];
        var pods = cluster.Pods.OrderBy(pod => pod.Metadata.Name, StringComparer.Ordinal).ToList();
        var pod = pods.Count == 0 ? null : pods[number % pods.Count];
        switch (step)
        {
            case Step.Reconcile: await cluster.ReconcileAsync(job); break;
            case Step.ReconcileCrashing: await cluster.ReconcileAsync(job, crashAfter: number % 7); break;
            case Step.ReconcileConflict: await cluster.ReconcileAsync(job, conflictAfter: 0); break;
            case Step.Schedule: await cluster.ScheduleAsync(); break;
            case Step.ScheduleCrashing: await cluster.ScheduleAsync(crashAfter: number % 5); break;
            case Step.ScheduleConflict: await cluster.ScheduleAsync(conflictAfter: number % 3); break;
            case Step.RefreshJobs: cluster.RefreshJobs(); break;
            case Step.Refresh: cluster.RefreshAll(); break;
            case Step.Round: await RoundAsync(cluster, exits: false); break;
            case Step.Advance: cluster.Time.Advance(TimeSpan.FromSeconds(number)); break;
            case Step.Kubelet when pod is not null: cluster.Kubelet(pod, 0); break;
            case Step.Fail when pod?.Status?.Phase == "Running": cluster.Kubelet(pod, 1); break;
            case Step.NodeDown: cluster.SetReady($"n{number % 4}", false); break;
            case Step.NodeUp: cluster.SetReady($"n{number % 4}", true); break;
            case Step.Steal: cluster.Steal($"n{number % 4}"); break;
            case Step.EndThieves: cluster.EndThieves(); break;
            default: break;
        }
    }

    // Everybody does what is next for them; pods that run end only when told.
    private static async Task RoundAsync(BusyCluster cluster, bool exits)
    {
        cluster.RefreshAll();
        await cluster.ScheduleAsync();
        cluster.RefreshAll();
        foreach (var job in cluster.Jobs) await cluster.ReconcileAsync(job);
        foreach (var pod in cluster.Pods)
        {
            if (exits || pod.Status?.Phase != "Running" || pod.IsTerminating()) cluster.Kubelet(pod, 0);
        }

        cluster.Time.Advance(TimeSpan.FromSeconds(6));
    }

    private static async Task CalmAsync(BusyCluster cluster)
    {
        cluster.EndThieves();
        for (var node = 0; node < 4; node++) cluster.SetReady($"n{node}", true);
        for (var round = 0; round < 150 && cluster.Jobs.Any(job => job.Status?.HasEnded() != true); round++) await RoundAsync(cluster, exits: round % 3 == 2);
    }
}
