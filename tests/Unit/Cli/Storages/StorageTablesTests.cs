using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Output;
using Trestle.Cli.Storages;

namespace Trestle.Cli.Tests.Storages;

public sealed class StorageTablesTests
{
    private static readonly DateTime Now = new(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void A_storage_shows_its_place_its_content_and_what_is_wrong()
    {
        var failed = ABucket("lost");
        failed.Status = new StorageStatus { Phase = StoragePhase.Failed, Reason = "BucketUnusable", Message = "the bucket b does not exist" };
        var rows = StorageTable.Build([failed, ABucket("ckpts")], Now).Rows;
        rows[0].ShouldBe(["ckpts", "Ready", "s3://b/team", "1.5 GiB", "12", "2", "step-2", "60s", "https://s3.local", "-"]);
        (rows[1][1], rows[1][^1]).ShouldBe(("Failed", "the bucket b does not exist"));
    }

    [Fact]
    public void Pending_comes_before_durable_and_the_newest_first()
    {
        var job = new TrainingJob
        {
            Metadata = new V1ObjectMeta { Name = "train" },
            Spec = new TrainingJobSpec { Mounts = [new StorageMount { Path = "/c", Storage = "ckpts", Mode = MountMode.MountCached }] },
            Status = new TrainingJobStatus { Phase = TrainingJobPhase.Running, Checkpoint = new CheckpointStatus { PendingBytes = 2048 } },
        };
        CheckpointTable.Build([ABucket("ckpts")], [job], Now).Rows.Select(row => string.Join(' ', row)).ShouldBe(
        [
            "ckpts - pending 2 KiB - train -",
            "ckpts step-2 durable 1 GiB 60s - s3://b/team/step-2",
            "ckpts step-1 durable 512 MiB 60m - s3://b/team/step-1",
        ]);
        job.Status.Phase = TrainingJobPhase.Succeeded;
        CheckpointTable.Build([ABucket("ckpts")], [job], Now).Rows.ShouldAllBe(row => row[2] == "durable");
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "0.98 KiB")]
    [InlineData(10L << 30, "10 GiB")]
    [InlineData(1200L << 40, "1.17 PiB")]
    public void Sizes_have_three_digits(long bytes, string text) => Sizes.Short(bytes).ShouldBe(text);

    private static Storage ABucket(string name) => new()
    {
        Metadata = new V1ObjectMeta { Name = name },
        Spec = new StorageSpec { S3 = new S3Storage { Bucket = "b", Prefix = "team/", Endpoint = "https://s3.local" } },
        Status = new StorageStatus
        {
            Phase = StoragePhase.Ready,
            Reason = "Ready",
            Message = "the bucket can be read and written",
            Bytes = 3L << 29,
            Objects = 12,
            Checkpoints =
            [
                new StoredCheckpoint { Name = "step-2", Bytes = 1L << 30, DurableAt = Now.AddMinutes(-1), Uri = "s3://b/team/step-2" },
                new StoredCheckpoint { Name = "step-1", Bytes = 1L << 29, DurableAt = Now.AddHours(-1), Uri = "s3://b/team/step-1" },
            ],
        },
    };
}
