using System.Text.Json.Nodes;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.TrainingJobs;

public sealed class PlannerStartTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_new_job_gets_its_finalizer_before_anything_else() =>
        Plan(AJob.Named().With(job => job.Metadata.Finalizers = null)).ShouldSatisfyAllConditions(
            plan => plan.Effects.ShouldBe([new AddFinalizer()]),
            plan => plan.Status.ShouldBeNull());

    [Fact]
    public void A_job_that_can_run_is_queued()
    {
        var plan = Plan(AJob.Named().Nodes(4));
        var status = plan.Status.ShouldNotBeNull();
        (status.Phase, status.Message, status.Queue?.QueuedAt, status.Timeline?.QueuedAt).ShouldBe((TrainingJobPhase.Queued, "waiting for 4 nodes", Noon.UtcDateTime, Noon.UtcDateTime));
        plan.Effects.ShouldBeEmpty();
    }

    [Fact]
    public void The_words_of_the_scheduler_on_a_queued_job_stay()
    {
        var queued = Plan(AJob.Named()).Status.ShouldNotBeNull();
        queued.Queue!.Reason = queued.Message = "waiting for 16 H100, 8 free";
        Plan(AJob.Named().With(job => job.Status = queued)).Status.ShouldBeNull();
    }

    [Fact]
    public void Without_any_image_a_job_fails_with_what_to_do()
    {
        var job = AJob.Named().With(job => job.Spec.Image = null).Build();
        var status = Plan(job).Status.ShouldNotBeNull();
        (status.Phase, status.Reason).ShouldBe((TrainingJobPhase.Failed, "ImageMissing"));
        TrainingJobPlanner.Plan(new Observed(job, []) { DefaultImage = "local" }, Noon).Status!.Phase.ShouldBe(TrainingJobPhase.Queued);
    }

    public static TheoryData<string> Refused => [.. Refusals.Keys];

    private static readonly Dictionary<string, Action<TrainingJobSpec>> Refusals = new()
    {
        ["workdir.git"] = spec => spec.Workdir = new Workdir { Git = new GitWorkdir { Url = "https://host/code" } },
        ["spec.podTemplate may not set restartPolicy"] = spec => spec.PodTemplate = new JsonObject { ["restartPolicy"] = "Always" },
        ["the mount at /data is of a bucket and has mode Mount"] = spec => spec.Mounts = [new StorageMount { Path = "/data", Source = "s3://data" }],
        ["the mount at /data/deep lies in the one at /data"] = spec => spec.Mounts = [new StorageMount { Path = "/data", Storage = "a" }, new StorageMount { Path = "/data/deep", Storage = "b" }],
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_can_not_run_fails_and_says_so(string what)
    {
        var status = Plan(AJob.Named().With(job => Refusals[what](job.Spec))).Status.ShouldNotBeNull();
        status.Phase.ShouldBe(TrainingJobPhase.Failed);
        status.Message!.ShouldStartWith(what);
        status.Conditions!.ShouldContain(condition => condition.Type == "Unsupported" && condition.Status == "True" && condition.Message == status.Message);
    }

    [Fact]
    public void What_is_left_out_of_a_job_that_runs_is_told()
    {
        var status = Plan(AJob.Named().With(job =>
        {
            job.Spec.Placement = [new Placement { Slurm = new SlurmPlacement { Cluster = "alps" } }];
            job.Spec.SubmitsJobs = true;
        })).Status.ShouldNotBeNull();
        status.Phase.ShouldBe(TrainingJobPhase.Queued);
        status.Conditions!.ShouldContain(condition => condition.Type == "Unsupported" && condition.Message.Contains("submitsJobs on Slurm"));
    }

    [Fact]
    public void A_missing_storage_is_waited_for()
    {
        var job = AJob.Named().With(Mounts).Build();
        var plan = Plan(job);
        (plan.Status!.Phase, plan.Status.Reason).ShouldBe((TrainingJobPhase.Pending, "StorageMissing"));
        plan.Effects.ShouldBeEmpty();
        plan.RequeueAfter.ShouldNotBeNull();
        Plan(job, storages: AStorage()).Status!.Phase.ShouldBe(TrainingJobPhase.Queued);
    }

    [Fact]
    public void A_missing_storage_is_made_where_there_is_a_place_for_it() =>
        TrainingJobPlanner.Plan(new Observed(AJob.Named().With(Mounts).Build(), []) { MakesStorages = true }, Noon)
            .Effects.ShouldHaveSingleItem().ShouldBeOfType<MakeStorages>().Names.ShouldBe(["ckpts"]);

    [Fact]
    public void A_bucket_is_waited_for_until_it_was_looked_into()
    {
        var bucket = AStorage();
        bucket.Spec = new StorageSpec { S3 = new S3Storage { Bucket = "b" } };
        var job = AJob.Named().With(Mounts).With(job => job.Spec.Mounts![0].Mode = MountMode.MountCached).Build();
        var status = Plan(job, storages: bucket).Status!;
        (status.Phase, status.Reason).ShouldBe((TrainingJobPhase.Pending, "StoragePending"));
        bucket.Status = new StorageStatus { Phase = StoragePhase.Ready };
        Plan(job, storages: bucket).Status!.Phase.ShouldBe(TrainingJobPhase.Queued);
    }

    [Fact]
    public void An_admitted_job_gets_all_of_its_pods()
    {
        var plan = Plan(AJob.Named().Admitted(1, "n1", "n2"));
        plan.Effects[0].ShouldBe(new EnsureObjects(1));
        plan.Effects[1].ShouldBeOfType<CreatePods>().Ranks.ShouldBe([0, 1]);
        plan.Effects.Count.ShouldBe(2);
    }

    [Fact]
    public void Nothing_is_let_go_before_the_last_pod_exists()
    {
        var job = AJob.Named().Admitted(1, "n1", "n2").Build();
        var plan = Plan(job, [APod.Of(job, 0).Gated().Build()]);
        plan.Effects.ShouldNotContain(effect => effect is Release);
        plan.Effects.OfType<CreatePods>().ShouldHaveSingleItem().Ranks.ShouldBe([1]);
    }

    [Fact]
    public void All_pods_are_let_go_at_once_each_to_its_node()
    {
        var job = AJob.Named().Admitted(1, "n1", "n2").Build();
        var plan = Plan(job, [APod.Of(job, 1).Gated().Build(), APod.Of(job, 0).Gated().Build()]);
        plan.Status!.Phase.ShouldBe(TrainingJobPhase.Starting);
        plan.Effects.ShouldHaveSingleItem().ShouldBeOfType<Release>().Pods.Select(pinned => (pinned.Pod.Metadata.Name, pinned.Node))
            .ShouldBe([("train-0-a1", "n1"), ("train-1-a1", "n2")]);
    }

    [Fact]
    public void Nothing_is_let_go_while_a_pod_of_the_last_attempt_may_run()
    {
        var job = AJob.Named().Admitted(2, "n1").Build();
        var old = APod.Of(job, 0, 1).Running().Terminating(Noon.AddSeconds(30)).Build();
        var plan = Plan(job, [APod.Of(job, 0, 2).Gated().Build(), old]);
        (plan.Status!.Phase, plan.Status.Reason).ShouldBe((TrainingJobPhase.Admitted, "WaitingForOldPods"));
        plan.Effects.ShouldBeEmpty();
    }

    [Fact]
    public void A_pod_that_should_have_ended_on_a_lost_node_is_not_waited_for()
    {
        var job = AJob.Named().Admitted(2, "n2").Build();
        PodView[] pods = [APod.Of(job, 0, 2).Gated().Build(), APod.Of(job, 0, 1).Running("n1").Terminating(Noon.AddSeconds(-1)).Build()];
        TrainingJobPlanner.Plan(new Observed(job, pods) { LostNodes = new HashSet<string> { "n1" } }, Noon).Effects.ShouldContain(effect => effect is Release);
    }

    [Fact]
    public void A_crash_in_the_middle_of_letting_go_is_made_good()
    {
        var job = AJob.Named().Admitted(1, "n1", "n2").Starting(Noon).Build();
        Plan(job, [APod.Of(job, 0).Running().Build(), APod.Of(job, 1).Gated().Build()])
            .Effects.ShouldHaveSingleItem().ShouldBeOfType<Release>().Pods.ShouldHaveSingleItem().Node.ShouldBe("n2");
    }

    [Fact]
    public void A_rank_that_no_node_takes_up_in_a_minute_moves_the_job_elsewhere()
    {
        var job = AJob.Named().Admitted(1, "n1", "n2").Starting(Noon.AddSeconds(-60)).Build();
        var plan = Plan(job, [APod.Of(job, 0).Running("n1").Build(), APod.Of(job, 1).Build()]);
        (plan.Status!.Phase, plan.Status.Reason).ShouldBe((TrainingJobPhase.Queued, "Requeued"));
        plan.Status.Message!.ShouldStartWith("rank 1 was not started by node n2 within 1m");
        plan.Status.Retry!.Nodes!.ShouldHaveSingleItem().Node.ShouldBe("n2");
        plan.Status.Restarts!.Counted.ShouldBeNull();
        plan.Effects.ShouldHaveSingleItem().ShouldBeOfType<DeletePods>().Pods.Count.ShouldBe(2);
    }

    [Fact]
    public void A_slow_image_is_not_a_rank_that_nobody_takes_up()
    {
        var job = AJob.Named().Admitted(1, "n1").Starting(Noon.AddHours(-1)).Build();
        Plan(job, [APod.Of(job).Waiting("ContainerCreating").Build()]).Status!.Phase.ShouldBe(TrainingJobPhase.Starting);
    }

    private static void Mounts(TrainingJob job) => job.Spec.Mounts = [new StorageMount { Path = "/ckpts", Storage = "ckpts" }];

    private static Storage AStorage() => new() { Metadata = { Name = "ckpts" }, Spec = new StorageSpec { File = new FileStorage { Path = "/shared" } } };

    private static TrainingJobPlan Plan(AJob job) => Plan(job.Build());

    private static TrainingJobPlan Plan(TrainingJob job, IReadOnlyList<PodView>? pods = null, params Storage[] storages) =>
        TrainingJobPlanner.Plan(new Observed(job, pods ?? []) { Storages = storages.ToDictionary(storage => storage.Metadata.Name) }, Noon);
}
