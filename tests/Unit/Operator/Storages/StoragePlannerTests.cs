using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Storages;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Storages;

public sealed class StoragePlannerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly DirectoryContent Full = new(10, 2, [new StoredCheckpoint { Name = "step-1" }], true);

    [Fact]
    public void A_directory_that_can_be_used_is_ready()
    {
        var status = StoragePlanner.Status(AStorage(), Full, Now);
        (status.Phase, status.Bytes, status.Objects, status.ObservedGeneration).ShouldBe((StoragePhase.Ready, 10, 2, 3));
        status.Checkpoints!.Single().Name.ShouldBe("step-1");
        status.Conditions!.Select(condition => (condition.Type, condition.Status)).ShouldBe([("Ready", "True")]);
    }

    [Fact]
    public void A_directory_that_can_not_be_used_says_why()
    {
        var status = StoragePlanner.Status(AStorage(), DirectoryContent.Read("/dev/null/x", 10), Now);
        status.Phase.ShouldBe(StoragePhase.Failed);
        status.Message!.ShouldContain("/shared/a");
        Conditions.IsTrue(status.Conditions, "Ready").ShouldBeFalse();
    }

    [Fact]
    public void A_bucket_shows_what_was_found_in_it()
    {
        var status = StoragePlanner.Status(ABucket(), Found(new StorageReport { Bytes = 7, Objects = 2, Checkpoints = [new DurableCheckpoint("run/step-1", 5, Now)] }), Now);
        (status.Phase, status.Bytes, status.Objects, status.LookedAt).ShouldBe((StoragePhase.Ready, 7, 2, Now.UtcDateTime));
        var checkpoint = status.Checkpoints!.Single();
        (checkpoint.Name, checkpoint.Uri, checkpoint.DurableAt).ShouldBe(("run/step-1", "s3://b/team/run/step-1", Now.UtcDateTime));
        status.Conditions!.Select(condition => condition.Type).ShouldBe(["Ready"]);
    }

    [Fact]
    public void A_bucket_that_can_not_be_read_says_why_and_keeps_what_was_known()
    {
        var storage = ABucket();
        storage.Status = StoragePlanner.Status(storage, Found(new StorageReport { Bytes = 7, Objects = 2 }), Now);
        var status = StoragePlanner.Status(storage, BucketFinding.Failed(Now.UtcDateTime, "access to bucket b is denied"), Now);
        (status.Phase, status.Message, status.Bytes).ShouldBe((StoragePhase.Failed, "access to bucket b is denied", 7));
    }

    [Fact]
    public void A_job_waits_for_a_bucket_that_was_not_looked_into_or_that_it_can_not_write()
    {
        var storage = ABucket();
        StoragePlanner.WhyWait(AJob("a"), storage)!.Value.Reason.ShouldBe("StoragePending");
        storage.Status = StoragePlanner.Status(storage, Found(new StorageReport()), Now);
        StoragePlanner.WhyWait(AJob("a"), storage).ShouldBeNull();
        storage.Status = StoragePlanner.Status(storage, Found(new StorageReport { WriteError = "access is denied" }), Now);
        StoragePlanner.WhyWait(AJob("a"), storage)!.Value.Message.ShouldContain("readOnly");
        var reader = AJob("a");
        reader.Spec.Mounts![0].ReadOnly = true;
        StoragePlanner.WhyWait(reader, storage).ShouldBeNull();
    }

    [Fact]
    public void Checkpoints_that_mounts_tell_of_join_those_that_were_found()
    {
        var storage = ABucket();
        StoragePlanner.With(storage, [new DurableCheckpoint("step-1", 5, Now)]).ShouldBeNull();
        storage.Status = StoragePlanner.Status(storage, Found(new StorageReport { Checkpoints = [new DurableCheckpoint("step-1", 5, Now)] }), Now);
        StoragePlanner.With(storage, [new DurableCheckpoint("step-1", 5, Now)]).ShouldBeNull();
        var status = StoragePlanner.With(storage, [new DurableCheckpoint("step-2", 6, Now.AddMinutes(1))]).ShouldNotBeNull();
        status.Checkpoints!.Select(checkpoint => checkpoint.Name).ShouldBe(["step-2", "step-1"]);
        status.LookedAt.ShouldBe(storage.Status.LookedAt);
    }

    [Fact]
    public void Looking_again_changes_nothing_and_no_cached_condition()
    {
        var storage = AStorage();
        storage.Status = StoragePlanner.Status(storage, Full, Now);
        var later = StoragePlanner.Status(storage, Full, Now.AddHours(1));
        later.Conditions!.Single().LastTransitionTime.ShouldBe(Now.UtcDateTime);
        later.Conditions!.Single().ShouldNotBeSameAs(storage.Status.Conditions!.Single());
    }

    [Fact]
    public void Missing_are_the_mounted_ones_that_were_not_found()
    {
        var job = AJob("a", "b", "b", null);
        StoragePlanner.Missing(job, new Dictionary<string, Storage> { ["a"] = AStorage() }).ShouldBe(["b"]);
    }

    [Fact]
    public void The_default_is_a_directory_of_the_namespace()
    {
        var storage = StoragePlanner.Default("research", "ckpts", "/objects/");
        storage.Key().ShouldBe(new ObjectKey("research", "ckpts"));
        storage.Spec.File!.Path.ShouldBe("/objects/research/ckpts");
    }

    [Theory]
    [InlineData(TrainingJobPhase.Running, "a", true)]
    [InlineData(TrainingJobPhase.Queued, "a", true)]
    [InlineData(TrainingJobPhase.Running, "other", false)]
    [InlineData(TrainingJobPhase.Succeeded, "a", false)]
    [InlineData(TrainingJobPhase.Failed, "a", false)]
    [InlineData(TrainingJobPhase.Cancelled, "a", false)]
    public void In_use_is_what_a_job_that_has_not_ended_mounts(TrainingJobPhase phase, string mounted, bool used)
    {
        var job = AJob(mounted);
        job.Status = new TrainingJobStatus { Phase = phase };
        StoragePlanner.InUse(AStorage(), [job]).ShouldBe(used);
    }

    private static BucketFinding Found(StorageReport report) => new(Now.UtcDateTime, report, null);

    private static Storage ABucket() => new()
    {
        Metadata = new V1ObjectMeta { Name = "a", NamespaceProperty = "research", Generation = 3 },
        Spec = new StorageSpec { S3 = new S3Storage { Bucket = "b", Prefix = "team/" } },
    };

    private static Storage AStorage() => new()
    {
        Metadata = new V1ObjectMeta { Name = "a", NamespaceProperty = "research", Generation = 3 },
        Spec = new StorageSpec { File = new FileStorage { Path = "/shared/a" } },
    };

    private static TrainingJob AJob(params string?[] storages) => new()
    {
        Metadata = new V1ObjectMeta { Name = "j", NamespaceProperty = "research" },
        Spec = new TrainingJobSpec { Run = "true", Mounts = [.. storages.Select((name, index) => new StorageMount { Path = $"/m{index}", Storage = name })] },
    };
}
