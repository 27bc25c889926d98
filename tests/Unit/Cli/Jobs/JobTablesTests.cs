using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Jobs;
using Trestle.Cli.Output;

namespace Trestle.Cli.Tests.Jobs;

public sealed class JobTablesTests
{
    private static readonly JobGroup Group = new()
    {
        Metadata = new V1ObjectMeta { Name = "train-eval", NamespaceProperty = "research", CreationTimestamp = AJob.Noon.AddMinutes(-3) },
        Spec = new JobGroupSpec { Tasks = [new JobGroupTask { Name = "trainer" }] },
        Status = new JobGroupStatus { Phase = JobGroupPhase.Running, Message = "trainer is running" },
    };

    [Fact]
    public void The_queue_shows_groups_with_their_tasks_below_and_why_jobs_wait()
    {
        var jobs = new JobSet(
            [
                AJob.Named("big").Nodes(4).Gpus("H100:8").Queued("waiting for 32 H100: 8 free").Build(),
                AJob.Named("train-eval-trainer").Nodes(4).Gpus("H100:8").InGroup("train-eval").Running(TimeSpan.FromMinutes(2)).Restarted(1).Build(),
                AJob.Named("eval-100").InGroup("train-eval").Ended(TrainingJobPhase.Succeeded, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), 0).Build(),
                AJob.Named("done").Ended(TrainingJobPhase.Succeeded, TimeSpan.FromHours(1), TimeSpan.FromHours(1), 0).Build(),
            ],
            [Group]);
        PlainTable.Render(QueueTable.Build(jobs, AJob.Noon, allNamespaces: false)).ShouldBe(
            """
            NAME                   USER    QUEUE   BACKEND      GPUS   STATUS    TIME   RESTARTS   REASON
            train-eval             -       -       kubernetes   32     Running   3m     1          trainer is running
              train-eval-trainer   alice   -       kubernetes   32     Running   2m     1          4/4 nodes running on kubernetes
            big                    alice   -       kubernetes   32     Queued    10m    0          waiting for 32 H100: 8 free

            """);
    }

    [Fact]
    public void Services_of_a_group_are_shown_below_its_jobs_while_it_goes_on()
    {
        var group = new JobGroup
        {
            Metadata = new V1ObjectMeta { Name = "rl", NamespaceProperty = "research", CreationTimestamp = AJob.Noon.AddMinutes(-3) },
            Spec = new JobGroupSpec { Tasks = [new JobGroupTask { Name = "trainer", Job = new TrainingJobSpec() }, new JobGroupTask { Name = "policy", Service = new InferenceServiceSpec { Replicas = 2, Resources = new Resources { Accelerators = "H100:4" } } }] },
            Status = new JobGroupStatus { Phase = JobGroupPhase.Running, Message = "2/2 tasks running", Tasks = [new JobGroupTaskStatus { Name = "policy", Kind = "InferenceService", Ref = "rl-policy", Phase = "Available", Message = "2/2 replicas ready" }] },
        };
        var trainer = AJob.Named("rl-trainer").Nodes(1).Gpus("H100:8").InGroup("rl").Running(TimeSpan.FromMinutes(2)).Build();
        PlainTable.Render(QueueTable.Build(new JobSet([trainer], [group]), AJob.Noon, allNamespaces: false)).ShouldBe(
            """
            NAME           USER    QUEUE   BACKEND      GPUS   STATUS      TIME   RESTARTS   REASON
            rl             -       -       kubernetes   16     Running     3m     0          2/2 tasks running
              rl-trainer   alice   -       kubernetes   8      Running     2m     0          4/4 nodes running on kubernetes
              rl-policy    -       -       kubernetes   8      Available   -      -          2/2 replicas ready

            """);
        new JobDescription(AJob.Noon, "").Render(FoundJob.Of(group), [trainer], [], []).ShouldContain("rl-policy   Available   8      2/2 replicas ready");
    }

    [Fact]
    public void A_job_on_slurm_says_its_cluster_and_the_partition_that_it_asked_for()
    {
        Placement[] places = [new() { Slurm = new SlurmPlacement { Cluster = "alps", Partition = "gpu" } }, new() { Kubernetes = new KubernetesPlacement() }];
        TrainingJob At(PlacementStatus? status) => AJob.Named("a").Queued("waiting on slurm/alps: Resources, expected to start at 2026-11-24 14:00 UTC").Change(job => (job.Spec.Placement, job.Status!.Placement) = ([.. places], status)).Build();
        At(null).Backend().ShouldBe("slurm/alps/gpu");
        At(new PlacementStatus { Index = 0, Slurm = new SlurmPlacementStatus { Cluster = "alps" } }).Backend().ShouldBe("slurm/alps/gpu");
        At(new PlacementStatus { Index = 1, Kubernetes = new KubernetesPlacement() }).Backend().ShouldBe("kubernetes");
        At(new PlacementStatus { Slurm = new SlurmPlacementStatus { Cluster = "other" } }).Backend().ShouldBe("slurm/other");
        QueueTable.Build(new JobSet([At(null)], []), AJob.Noon, allNamespaces: false).Rows.Single()[^1].ShouldContain("expected to start at");
    }

    [Fact]
    public void A_description_tells_what_slurm_says_of_every_attempt()
    {
        var job = AJob.Named("sft").Phase(TrainingJobPhase.Failed, "sbatch refused it").Change(job => job.Status!.Placement = new PlacementStatus { Slurm = new SlurmPlacementStatus { Cluster = "alps", JobId = "42" } }).Build();
        SlurmJob Attempt(int attempt, SlurmJobStatus status) => new() { Metadata = new V1ObjectMeta { Name = $"sft-a{attempt}" }, Spec = new SlurmJobSpec { Cluster = "alps", Attempt = attempt }, Status = status };
        var page = new JobDescription(AJob.Noon, "").Render(FoundJob.Of(job), [], [],
        [
            Attempt(2, new SlurmJobStatus { Reason = "Rejected", Message = "sbatch: error: invalid partition specified: gqu" }),
            Attempt(1, new SlurmJobStatus { JobId = "42", State = "NODE_FAIL", Reason = "NodeFail", Nodes = ["gpu1", "gpu2"], ExitCode = 1, StartedAt = AJob.Noon, Message = "node gpu2 failed" }),
        ]);
        page.ShouldContain("  Placement:  slurm/alps, Slurm job 42\n");
        page.ShouldContain(
            """
            Slurm:
              ATTEMPT   CLUSTER   JOB   STATE       REASON     STARTS                 NODES       EXIT   MESSAGE
              1         alps      42    NODE_FAIL   NodeFail   2026-11-24 12:00:00Z   gpu1 gpu2   1      node gpu2 failed
              2         alps      -     -           Rejected   -                      -           -      sbatch: error: invalid partition specified: gqu

            """);
    }

    [Fact]
    public void A_job_whose_group_is_gone_is_still_shown()
    {
        var jobs = new JobSet([AJob.Named("orphan").InGroup("gone").Running(TimeSpan.Zero).Build()], []);
        QueueTable.Build(jobs, AJob.Noon, allNamespaces: false).Rows.Single()[0].ShouldBe("orphan");
    }

    [Fact]
    public void History_shows_exit_code_time_and_gpu_hours_newest_first()
    {
        var jobs = new JobSet(
            [
                AJob.Named("ok").Nodes(4).Gpus("H100:8").Ended(TrainingJobPhase.Succeeded, TimeSpan.FromMinutes(90), TimeSpan.FromHours(5), 0).Build(),
                AJob.Named("bad").Ended(TrainingJobPhase.Failed, TimeSpan.FromSeconds(12), TimeSpan.FromMinutes(3), 7, "Traceback: boom").Build(),
                AJob.Named("never-ran").Phase(TrainingJobPhase.Cancelled, "cancelled by bob").Build(),
                AJob.Named("active").Running(TimeSpan.FromSeconds(1)).Build(),
            ],
            []);
        PlainTable.Render(HistoryTable.Build(jobs, AJob.Noon, allNamespaces: false)).ShouldBe(
            """
            NAME        USER    BACKEND      STATUS      EXIT   ELAPSED   GPUS   GPU-HOURS   RESTARTS   ENDED    REASON
            bad         alice   kubernetes   Failed      7      12s       -      -           0          3m ago   Traceback: boom
            never-ran   alice   kubernetes   Cancelled   -      -         -      -           0          -        cancelled by bob
            ok          alice   kubernetes   Succeeded   0      90m       32     48.0        0          5h ago   -

            """);
    }

    [Fact]
    public void All_namespaces_puts_the_namespace_first()
    {
        var table = QueueTable.Build(new JobSet([AJob.Named("a").Queued("x").Build()], []), AJob.Noon, allNamespaces: true);
        table.Columns[0].Header.ShouldBe("NAMESPACE");
        table.Rows.Single()[0].ShouldBe("research");
    }

    [Theory]
    [InlineData(TrainingJobPhase.Queued, "PENDING")]
    [InlineData(TrainingJobPhase.Starting, "STARTING")]
    [InlineData(TrainingJobPhase.Restarting, "RECOVERING")]
    [InlineData(TrainingJobPhase.Cancelled, "CANCELLED")]
    [InlineData(TrainingJobPhase.Failed, "FAILED")]
    public void Sky_sees_its_own_states(TrainingJobPhase phase, string state) => SkyQueueTable.State(AJob.Named("a").Phase(phase).Build()).ShouldBe(state);

    [Fact]
    public void Sky_sees_a_failed_setup() =>
        SkyQueueTable.State(AJob.Named("a").Ended(TrainingJobPhase.Failed, default, default, 1).Change(job => job.Status!.Exit!.Stage = ExitStage.Setup).Build()).ShouldBe("FAILED_SETUP");

    [Fact]
    public void The_commands_exit_code_is_the_jobs()
    {
        FoundJob.Of(AJob.Named("a").Ended(TrainingJobPhase.Failed, default, default, 7).Build()).ExitCode.ShouldBe(7);
        FoundJob.Of(AJob.Named("a").Ended(TrainingJobPhase.Succeeded, default, default, 0).Build()).ExitCode.ShouldBe(0);
        FoundJob.Of(AJob.Named("a").Phase(TrainingJobPhase.Cancelled).Build()).ExitCode.ShouldBe(1);
    }

    [Fact]
    public void A_description_says_what_why_where_and_what_to_type_next()
    {
        var job = AJob.Named("bad").Nodes(2).Gpus("H100:8").Ended(TrainingJobPhase.Failed, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(1), 7, "line one\nline two")
            .Change(job =>
            {
                job.Status!.Message = "rank 1 failed";
                job.Status.Attempt = 4;
                job.Status.Restarts = new RestartCounts { Counted = 3 };
                job.Status.Nodes = new NodesStatus { Ranks = [new RankStatus { Rank = 0, Name = "bad-0-a4", Node = "node-0", State = RankState.Failed, ExitCode = 7 }] };
            }).Build();
        var happened = new Corev1Event { Type = "Warning", Reason = "RankFailed", Message = "rank 1 exited with 7", Count = 3, LastTimestamp = AJob.Noon.AddMinutes(-1), Metadata = new V1ObjectMeta() };
        new JobDescription(AJob.Noon, " -n research").Render(FoundJob.Of(job), [], [happened], []).ShouldBe(
            """
            job bad
              Namespace:  research
              User:       alice
              Created:    2026-11-24 11:50:00Z (10m ago)
              Status:     Failed
              How:        rank 1 failed
              Needs:      2 nodes, H100:8 each
              Placement:  kubernetes
              Attempt:    4 (restarts: 3 counted, 0 infrastructure, 0 preempted)
              Timeline:   queued 11:57:00 → admitted 11:57:00 (+0s) → started 11:57:00 (+0s) → finished 11:59:00 (+2m)
              Exit:       rank 0 ended with code 7 in Run
                | line one
                | line two

            Ranks:
              RANK   NODE     POD        IP   STATE    EXIT
              0      node-0   bad-0-a4   -    Failed   7

            Events:
              AGE        TYPE      REASON       MESSAGE
              60s (x3)   Warning   RankFailed   rank 1 exited with 7

            Next:
              trestle logs bad -n research
              trestle retry bad -n research
              trestle cancel bad --delete -n research

            """);
    }
}
