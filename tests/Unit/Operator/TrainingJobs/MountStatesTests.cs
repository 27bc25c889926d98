using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Tests.TrainingJobs;

public sealed class MountStatesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_newest_durable_checkpoint_of_any_rank_is_the_jobs()
    {
        var status = Status(AReport(0, checkpoints: [new("step-2", 1, Noon), new("step-1", 1, Noon.AddMinutes(-1))]), AReport(1, checkpoints: [new("step-2", 1, Noon.AddSeconds(-2))]));
        (status.Checkpoint!.Latest, status.Checkpoint.DurableAt, status.Checkpoint.PendingBytes).ShouldBe(("step-2", Noon.UtcDateTime, 0));
    }

    [Fact]
    public void A_checkpoint_that_one_rank_tells_of_is_whole()
    {
        Status(AReport(0, checkpoints: [new("step-2", 1, Noon)]), AReport(1, pending: 1)).Checkpoint!.Latest.ShouldBe("step-2");
    }

    [Fact]
    public void An_older_checkpoint_never_takes_the_place_of_a_newer_one()
    {
        var known = new CheckpointStatus { Latest = "step-9", DurableAt = Noon.UtcDateTime };
        var status = Status(known, AReport(0, checkpoints: [new("step-1", 1, Noon.AddMinutes(-1))]), AReport(1));
        (status.Checkpoint!.Latest, status.Checkpoint.DurableAt).ShouldBe(("step-9", Noon.UtcDateTime));
    }

    [Fact]
    public void It_is_durable_when_all_ranks_say_so()
    {
        Durable(Status(AReport(0), AReport(1)))!.Status.ShouldBe("True");
        Durable(Status(AReport(0)))?.Status.ShouldNotBe("True");
        var one = Durable(Status(AReport(0), AReport(1, pending: 3)))!;
        (one.Status, one.Reason).ShouldBe(("False", "Flushing"));
    }

    [Fact]
    public void Trouble_is_told_with_the_rank_and_the_mount()
    {
        var told = Durable(Status(AReport(0), AReport(1) with { Report = new MountReport { Trouble = "access to bucket b is denied" } }))!;
        (told.Status, told.Reason, told.Message).ShouldBe(("False", "StorageTrouble", "rank 1 at /c: access to bucket b is denied"));
    }

    [Fact]
    public void Silence_changes_nothing()
    {
        var known = new CheckpointStatus { Latest = "step-9", DurableAt = Noon.UtcDateTime };
        var status = Status(known);
        (status.Checkpoint!.Latest, Durable(status)).ShouldBe(("step-9", null));
    }

    [Fact]
    public void A_job_whose_code_has_ended_says_what_it_waits_for()
    {
        var waits = Status(AReport(0, pending: 3 << 20, isLast: true), AReport(1, pending: 1, isLast: true));
        (waits.Reason, waits.Message).ShouldBe(("Flushing", "the code has ended; 3 MiB of what it wrote are still on their way to the storage"));
        Status(AReport(0, pending: 3 << 20, isLast: true), AReport(1, pending: 1)).Reason.ShouldBe("PodsReady");
    }

    [Fact]
    public void A_sub_path_is_part_of_the_name()
    {
        var status = Plan(null, mount => mount.SubPath = "run-7", AReport(0, checkpoints: [new("step-2", 1, Noon)]), AReport(1));
        status.Checkpoint!.Latest.ShouldBe("run-7/step-2");
    }

    private static V1Condition? Durable(TrainingJobStatus status) => status.Conditions?.Find(condition => condition.Type == "Durable");

    private static TrainingJobStatus Status(params ReportedMount[] mounts) => Plan(null, _ => { }, mounts);

    private static TrainingJobStatus Status(CheckpointStatus known, params ReportedMount[] mounts) => Plan(known, _ => { }, mounts);

    private static TrainingJobStatus Plan(CheckpointStatus? known, Action<StorageMount> change, params ReportedMount[] mounts)
    {
        var job = AJob.Named().Admitted(1, "n1", "n2").Running(Noon.AddMinutes(-10)).With(job =>
        {
            job.Status!.Checkpoint = known;
            job.Spec.Mounts = [new StorageMount { Path = "/c", Storage = "ckpts", Mode = MountMode.MountCached }];
            change(job.Spec.Mounts[0]);
        }).Build();
        var storage = new Storage { Metadata = new V1ObjectMeta { Name = "ckpts" }, Spec = new StorageSpec { S3 = new S3Storage { Bucket = "b" } } };
        var seen = new Observed(job, [APod.Of(job, 0).Running().Build(), APod.Of(job, 1).Running().Build()]) { Storages = new Dictionary<string, Storage> { ["ckpts"] = storage }, Mounts = mounts };
        return TrainingJobPlanner.Plan(seen, Noon).Status ?? job.Status!;
    }

    private static ReportedMount AReport(int rank, long pending = 0, bool isLast = false, params DurableCheckpoint[] checkpoints) =>
        new(rank, 0, new MountReport { PendingBytes = pending, PendingFiles = pending > 0 ? 1 : 0, IsLast = isLast, Checkpoints = checkpoints });
}
