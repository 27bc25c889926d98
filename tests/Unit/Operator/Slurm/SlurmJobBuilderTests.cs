using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Slurm;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.Slurm;

public sealed class SlurmJobBuilderTests
{
    [Fact]
    public void What_the_job_asks_for_becomes_options_and_its_own_options_come_last()
    {
        var spec = SlurmJobBuilder.Build(Input(job =>
        {
            job.Spec.Nodes = 4;
            job.Spec.Resources = new Resources { Accelerators = "H100:8", Cpus = "31.5", Memory = "64Gi" };
            job.Spec.TimeLimit = "90s";
            job.Spec.TerminationGracePeriod = "2m";
            job.Status = new TrainingJobStatus { Retry = new RetryStatus { Nodes = [new NodeFailures { Node = "gpu3", Failures = 2 }] } };
        })).Spec;
        spec.Options.ShouldBe(
        [
            "--nodes=4", "--ntasks-per-node=1", "--partition=gpu", "--account=rl", "--gres=gpu:h100:8", "--cpus-per-task=32", "--mem=65536M", "--time=2",
            "--signal=B:TERM@120", "--exclude=gpu3", "--constraint=ib",
        ]);
        (spec.Nodes, spec.Cluster, spec.Attempt, spec.GraceSeconds).ShouldBe((4, "alps", 2, 120));
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(4, false)]
    [InlineData(null, true)]
    public void Nodes_are_avoided_as_long_as_the_others_suffice(int? nodes, bool isAvoided)
    {
        var input = Input(job =>
        {
            job.Spec.Nodes = 4;
            job.Status = new TrainingJobStatus { Retry = new RetryStatus { Nodes = [new NodeFailures { Node = "gpu3", Failures = 2 }] } };
        });
        input.Cluster.Status = new SlurmClusterStatus { Partitions = [new SlurmPartition { Name = "cpu", Nodes = 100 }, new SlurmPartition { Name = "gpu", Nodes = nodes }] };
        SlurmJobBuilder.Build(input).Spec.Options!.Contains("--exclude=gpu3").ShouldBe(isAvoided);
    }

    [Fact]
    public void A_secret_is_named_and_never_in_the_script()
    {
        var spec = SlurmJobBuilder.Build(Input(job =>
        {
            job.Spec.Env = [new EnvVar { Name = "KEY", ValueFrom = new EnvVarSource { SecretKeyRef = new KeySelector { Name = "wandb", Key = "key" } } }];
            job.Spec.EnvFrom = [new EnvFromSource { SecretRef = new NameReference { Name = "hf" } }];
        })).Spec;
        spec.SecretRefs!.Select(secret => secret.Name).ShouldBe(["wandb", "hf"]);
        spec.Script.ShouldContain("secret KEY 'wandb/key' ''\n");
        spec.Script.ShouldContain("secrets_of '' 'hf'\n");
        spec.Script.ShouldContain("trestle_needs=secrets\n");
    }

    [Fact]
    public void A_bucket_is_served_on_the_node_and_its_credentials_are_named_alone()
    {
        var spec = SlurmJobBuilder.Build(Input(job => job.Spec.Mounts =
        [
            new StorageMount { Path = "/data", Storage = "lake" },
            new StorageMount { Path = "/c", Storage = "ckpts", Mode = MountMode.MountCached, SubPath = "it's" },
        ]) with
        {
            Storages = new Dictionary<string, Storage>
            {
                ["lake"] = new() { Spec = new StorageSpec { File = new FileStorage { Path = "/lake" } } },
                ["ckpts"] = new() { Spec = new StorageSpec { S3 = new S3Storage { Bucket = "b", Prefix = "team/", CredentialsSecretRef = new NameReference { Name = "s3" } }, Cache = new StorageCache { Medium = "/nvme", Size = "1Gi" } } },
            },
        }).Spec;
        spec.SecretRefs!.Select(secret => secret.Name).ShouldBe(["s3"]);
        spec.Script.ShouldContain("serve_bucket '1' '/c' 'rw' 's3' '/nvme/uid-train' '--store' 's3://b/team/it'\\''s' '--size' '1073741824' '--run' 'uid-train' '--attempt' '2' --name 'train-a2-'\"$trestle_rank\"\n");
        spec.Script.ShouldContain("/lake\t/data\trw\n");
        spec.Script.ShouldContain("printf 'export %s=' TRESTLE_FLUSHED_MOUNTS; quote '1'; echo\n");
        spec.Script.ShouldContain("trestle_node_program='trestle-node'\n");
        spec.Script.ShouldContain("trestle_needs=secrets\n");
    }

    [Fact]
    public void The_same_attempt_is_the_same_script() => SlurmJobBuilder.Build(Input(_ => { })).Spec.Script.ShouldBe(SlurmJobBuilder.Build(Input(_ => { })).Spec.Script);

    [Fact]
    public void What_is_missing_is_refused_with_a_sentence()
    {
        Refusal(job => job.Spec.Workdir = new Workdir { ConfigMap = new ConfigMapWorkdir { Name = "code" } }).ShouldBe("ConfigMap code does not exist in namespace research; create it");
        Refusal(job => job.Spec.Mounts = [new StorageMount { Path = "/data", Storage = "lake" }]).ShouldBe("the mount at /data needs a Storage with file.path on Slurm; lake is none");
    }

    private static string Refusal(Action<TrainingJob> change) => Should.Throw<LaunchRefusedException>(() => SlurmJobBuilder.Build(Input(change))).Message;

    private static SlurmInput Input(Action<TrainingJob> change)
    {
        var job = AJob.Named().With(change).Build();
        var place = new SlurmPlacement { Cluster = "alps", Account = "rl", Options = ["--constraint=ib"] };
        var cluster = new SlurmCluster { Metadata = new V1ObjectMeta { Name = "alps" }, Spec = new SlurmClusterSpec { Defaults = new SlurmDefaults { Partition = "gpu", Account = "other" } } };
        return new SlurmInput(job, place, cluster, 2);
    }
}
