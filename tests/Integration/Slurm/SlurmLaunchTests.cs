using System.Globalization;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Slurm;
using Trestle.Testing;
using Trestle.Testing.Slurm;
using SlurmCluster = Trestle.Testing.Slurm.SlurmCluster;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>The script of an attempt, submitted as the bridge submits it, on real nodes.</summary>
[Collection(SlurmCollection.Name)]
public sealed class SlurmLaunchTests(SlurmFixture fixture) : IAsyncLifetime
{
    private SlurmCluster _cluster = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _cluster = await fixture.HealthyAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Ranks_have_the_contract_their_secrets_their_code_and_their_mounts()
    {
        var job = Job("""
            echo "$TRESTLE_NODE_RANK/$TRESTLE_NUM_NODES $SKYPILOT_NUM_GPUS_PER_NODE $TRESTLE_TASK_ID $KEY $HF_TOKEN $PLAIN"
            test "$(echo "$TRESTLE_NODE_IPS" | wc -l)" = 2 && test "$MASTER_ADDR" = "$(echo "$TRESTLE_NODE_IPS" | head -n 1)" || exit 8
            env | grep -E '^(SLURM_STEP|SLURM_LOCALID|SLURM_PROCID|SLURM_JOB_ID)' | cut -d= -f1 | sort | tr '\n' ' '
            sh code.sh > "$TRESTLE_CHECKPOINT_DIR/from-$TRESTLE_NODE_RANK"
            """);
        job.Spec.Resources = new Resources { Accelerators = "H100:8" };
        job.Spec.Env =
        [
            new EnvVar { Name = "KEY", ValueFrom = new EnvVarSource { SecretKeyRef = new KeySelector { Name = "wandb", Key = "key" } } },
            new EnvVar { Name = "PLAIN", Value = "it's \"plain\" $HOME" },
        ];
        job.Spec.EnvFrom = [new EnvFromSource { Prefix = "HF_", SecretRef = new NameReference { Name = "hf" } }];
        job.Spec.Workdir = new Workdir { ConfigMap = new ConfigMapWorkdir { Name = "code" } };
        job.Spec.Mounts = [new StorageMount { Path = "/nowhere/ckpts", Storage = "ckpts", Mode = MountMode.MountCached }];
        var storage = Path.Combine(_cluster.A.Home, "objects");
        var attempt = await SubmitAsync(job, storage, "wandb/key czNjcmV0\nhf/TOKEN aGYtMTIz\n");
        (await attempt.EndAsync()).ShouldBe("COMPLETED 0:0", await attempt.LogsAsync());
        for (var rank = 0; rank < 2; rank++)
        {
            (await attempt.LogAsync(rank)).Split('\n')[..2].ShouldBe([$"{rank}/2 8 trestle-research-launch-{job.Metadata.Uid} s3cret hf-123 it's \"plain\" $HOME", "SLURM_JOB_ID SLURM_PROCID "]);
            (await File.ReadAllTextAsync(Path.Combine(storage, $"from-{rank}"), Ct)).ShouldBe("code\n");
        }

        File.Exists(attempt.File("secrets")).ShouldBeFalse("secrets are gone before anything runs");
        (await _cluster.RunAsRootAsync($"grep -rl s3cret {attempt.Directory} {_cluster.Directory}/state {_cluster.Directory}/log; ls -d /tmp/trestle-{job.Metadata.Uid}-*")).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).ShouldBe([attempt.File("rank-0.log"), attempt.File("rank-1.log")]); // the user's code wrote it there
    }

    [Fact]
    public async Task A_setup_that_fails_is_told_from_a_run_that_fails()
    {
        var job = Job("exit 5");
        var ran = await SubmitAsync(job);
        (await ran.EndAsync()).ShouldBe("FAILED 5:0", await ran.LogsAsync());
        (await File.ReadAllTextAsync(ran.File("exit"), Ct)).Trim().ShouldBeOneOf("0 5 Run", "1 5 Run");

        job = Job("true");
        job.Spec.Setup = "[ $TRESTLE_NODE_RANK = 0 ] || { echo no such package; exit 3; }; sleep 30";
        var set = await SubmitAsync(job);
        (await set.EndAsync()).ShouldBe("FAILED 3:0", await set.LogsAsync());
        (await File.ReadAllTextAsync(set.File("exit"), Ct)).Trim().ShouldBe("1 3 Setup");
        (await File.ReadAllTextAsync(set.File("last-words"), Ct)).ShouldContain("no such package");
    }

    [Theory]
    [InlineData("--batch --signal=TERM", "FAILED 9:0")]
    [InlineData("--signal=TERM", "FAILED 9:0")]
    [InlineData("", "CANCELLED")]
    public async Task TERM_reaches_every_rank_once_and_there_is_time_to_save(string how, string end)
    {
        var job = Job("trap 'echo TERM; sleep 2; echo saved; exit 9' TERM; echo up; for i in $(seq 600); do sleep 0.1; done");
        var attempt = await SubmitAsync(job);
        await Condition.UntilAsync("both ranks are up", async () => (await attempt.LogAsync(0)).Contains("up", StringComparison.Ordinal) && (await attempt.LogAsync(1)).Contains("up", StringComparison.Ordinal), explain: attempt.LogsAsync);
        (await _cluster.RunAsync(_cluster.A, $"scancel {how} {attempt.Id}")).ShouldExit(0);
        (await attempt.EndAsync()).ShouldStartWith(end);
        for (var rank = 0; rank < 2; rank++) (await attempt.LogAsync(rank)).Split('\n').Where(line => line is "TERM" or "saved").ShouldBe(["TERM", "saved"]);
        await Condition.UntilAsync("nothing of it is left on the nodes", async () => (await _cluster.RunAsRootAsync($"ls -d /tmp/trestle-{job.Metadata.Uid}-*")).ExitCode != 0);
    }

    [Fact]
    public async Task The_published_trainer_trains_the_same_bytes_as_on_kubernetes()
    {
        var job = Job("python3 train.py --ckpt_dir /checkpoints --steps 40 --ckpt_every 20");
        job.Spec.Workdir = new Workdir { ConfigMap = new ConfigMapWorkdir { Name = "examples" } };
        job.Spec.Mounts = [new StorageMount { Path = "/checkpoints", Storage = "ckpts", Mode = MountMode.MountCached }];
        var two = await SubmitAsync(job, Path.Combine(_cluster.A.Home, "two"));
        job = Job("python3 train.py --ckpt_dir /checkpoints --steps 40 --ckpt_every 20", nodes: 1);
        job.Spec.Workdir = new Workdir { ConfigMap = new ConfigMapWorkdir { Name = "examples" } };
        job.Spec.Mounts = [new StorageMount { Path = "/checkpoints", Storage = "ckpts", Mode = MountMode.MountCached }];
        var one = await SubmitAsync(job, Path.Combine(_cluster.A.Home, "one"));
        (await two.EndAsync()).ShouldBe("COMPLETED 0:0", await two.LogsAsync());
        (await one.EndAsync()).ShouldBe("COMPLETED 0:0", await one.LogsAsync());
        var model = Model(await two.LogAsync(0));
        model.Length.ShouldBe(64);
        Model(await one.LogAsync(0)).ShouldBe(model);

        static string Model(string log) => log.Split('\n').Single(line => line.Contains("final model", StringComparison.Ordinal)).Split(' ')[^1];
    }

    [Fact]
    public async Task A_mount_that_can_not_be_had_leaves_no_server_of_another_behind()
    {
        var program = Path.Combine(_cluster.A.Home, "stand-in");
        var mark = Path.Combine(_cluster.A.Home, "serving");
        await File.WriteAllTextAsync(program, $"""
            #!/bin/sh
            case $2$* in
              status*mount-0*) test -e {mark} ;;
              serve*mount-0*) echo $$ > {mark}.new && mv {mark}.new {mark}; exec sleep 600 ;;
              *) exit 1 ;;
            esac
            """, Ct);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        var job = Job("true", nodes: 1);
        job.Spec.Mounts = [new StorageMount { Path = "/one", Storage = "bucket" }, new StorageMount { Path = "/two", Storage = "bucket" }];
        var attempt = await SubmitAsync(job, program: program);
        (await attempt.EndAsync()).ShouldBe("FAILED 75:0", await attempt.LogsAsync());
        (await attempt.LogAsync(0)).ShouldContain("the mount at /two can't be served");
        var server = int.Parse(await File.ReadAllTextAsync(mark, Ct), CultureInfo.InvariantCulture);
        await Condition.UntilAsync("the server of the first mount has ended", () => !Processes.IsRunning(server), TimeSpan.FromSeconds(10));
    }

    private static TrainingJob Job(string run, int nodes = 2) => new()
    {
        Metadata = new V1ObjectMeta { Name = "launch", NamespaceProperty = "research", Uid = Guid.NewGuid().ToString() },
        Spec = new TrainingJobSpec { Nodes = nodes, Run = run },
    };

    private async Task<Submitted> SubmitAsync(TrainingJob job, string? storage = null, string? secrets = null, string? program = null)
    {
        var examples = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(RepositoryFiles.Path("examples", "train-eval"), "*.py")) examples[Path.GetFileName(path)] = await File.ReadAllTextAsync(path, Ct);
        var slurm = SlurmJobBuilder.Build(new SlurmInput(job, new SlurmPlacement { Cluster = "test" }, new Api.V1Alpha1.SlurmCluster { Spec = { NodeProgram = program } }, 1)
        {
            ConfigMaps = new Dictionary<string, IReadOnlyDictionary<string, string>> { ["code"] = new Dictionary<string, string> { ["code.sh"] = "echo code" }, ["examples"] = examples },
            Storages = new Dictionary<string, Storage>
            {
                ["ckpts"] = new() { Spec = new StorageSpec { File = new FileStorage { Path = storage ?? "/nowhere" } } },
                ["bucket"] = new() { Spec = new StorageSpec { S3 = new S3Storage { Bucket = "b" } } },
            },
        });
        var directory = Path.Combine(_cluster.A.Home, job.Metadata.Uid);
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, "job"), slurm.Spec.Script, Ct);
        if (secrets is not null) await File.WriteAllTextAsync(Path.Combine(directory, "secrets"), secrets, Ct);
        (await _cluster.RunAsRootAsync($"chown -R {_cluster.A.Name} {directory}")).ShouldExit(0);
        var sent = await _cluster.RunAsync(_cluster.A, $"TRESTLE_ATTEMPT_DIR={directory} sbatch --parsable --no-requeue --chdir={directory} --output={directory}/job.log {string.Join(' ', slurm.Spec.Options!)} {directory}/job");
        return new Submitted(_cluster, directory, int.Parse(sent.ShouldExit(0).Out.Trim(), CultureInfo.InvariantCulture));
    }

    private sealed record Submitted(SlurmCluster Cluster, string Directory, int Id)
    {
        public string File(string name) => Path.Combine(Directory, name);

        public async Task<string> LogAsync(int rank) => System.IO.File.Exists(File($"rank-{rank}.log")) ? await System.IO.File.ReadAllTextAsync(File($"rank-{rank}.log"), Ct) : "";

        public async Task<string> LogsAsync() => (await Cluster.RunAsRootAsync($"tail -n 50 {Directory}/*.log; squeue -a; sacct -X")).ToString();

        /// <summary>State and exit code, when Slurm has let it go.</summary>
        public async Task<string> EndAsync()
        {
            var end = "";
            await Condition.UntilAsync($"job {Id} has ended", async () =>
            {
                end = (await Cluster.RunAsRootAsync($"scontrol show job {Id}")).Out;
                return !new[] { "PENDING", "RUNNING", "COMPLETING", "CONFIGURING" }.Any(state => end.Contains($"JobState={state} ", StringComparison.Ordinal));
            }, TimeSpan.FromMinutes(2), LogsAsync);
            return $"{Value("JobState")} {Value("ExitCode")}";

            string Value(string name) => end.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Single(word => word.StartsWith($"{name}=", StringComparison.Ordinal))[(name.Length + 1)..];
        }
    }
}
