using System.Text.Json.Nodes;
using Trestle.Testing;
using SlurmFixture = Trestle.Testing.Slurm.SlurmFixture;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>What a Slurm cluster does to jobs, with all parts real and one operator and bridge for all cases.</summary>
[Collection(SlurmCollection.Name)]
public sealed class SlurmCaseTests(SlurmFixture fixture, SharedSlurmWorld shared) : IClassFixture<SharedSlurmWorld>, IAsyncLifetime
{
    private const string ForAWhile = "for i in $(seq 600); do sleep 0.1; done";
    private SlurmWorld _world = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await shared.OpenAsync(fixture);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task At_its_time_limit_a_job_has_time_to_save_and_goes_on_only_from_what_it_saved()
    {
        var saved = await _world.UntilAsync("saver", "Succeeded");
        ((int?)saved["attempt"], (string?)saved["checkpoint"]!["latest"]).ShouldBe((2, "step-1"));
        var idle = await _world.UntilAsync("idler", "Failed");
        ((int?)idle["attempt"], (string?)idle["reason"]).ShouldBe((1, "TimeLimit"));
        File.Exists(Path.Combine(_world.Slurm.A.Home, "objects", "empty", "part.tmp")).ShouldBeTrue("TERM came in time");
    }

    [Fact]
    public async Task Torchrun_of_the_published_example_trains_on_two_nodes()
    {
        var files = new JsonObject();
        foreach (var path in Directory.EnumerateFiles(RepositoryFiles.Path("examples", "train-eval"), "*.py")) files[Path.GetFileName(path)] = await File.ReadAllTextAsync(path, Ct);
        await _world.Api.CreateAsync("api/v1/namespaces/default/configmaps", new JsonObject { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = new JsonObject { ["name"] = "train-eval" }, ["data"] = files }, Ct);
        await SharedSlurmWorld.StorageAsync(_world, "torch-ckpts");
        await _world.SubmitAsync("torchrun", "torchrun train_torch.py --steps 40 --step_time 0.01", spec =>
        {
            spec["resources"] = new JsonObject { ["accelerators"] = "H100:1" };
            spec["workdir"] = JsonNode.Parse("""{"configMap":{"name":"train-eval"}}""");
            spec["env"] = JsonNode.Parse("""[{"name":"GLOO_SOCKET_IFNAME","value":"lo"},{"name":"PET_REDIRECTS","value":"1"},{"name":"PET_TEE","value":"1"},{"name":"PATH","value":"/usr/bin:/bin"}]""");
            spec["mounts"] = JsonNode.Parse("""[{"path":"/checkpoints","storage":"torch-ckpts","mode":"MountCached"}]""");
        });
        await _world.UntilAsync("torchrun", "Succeeded");
        var end = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_world.Slurm.A.Home, "objects", "torch-ckpts", "final.json"), Ct))!;
        ((int)end["step"]!).ShouldBe(40);
    }

    [Fact]
    public async Task A_job_that_waits_says_what_slurm_waits_for_and_starts_when_it_may()
    {
        (await _world.Slurm.RunAsRootAsync("scontrol update partition=cpu state=down; scontrol update nodename=gpu4 state=drain reason=test")).ShouldExit(0);
        try
        {
            await AreToldAsync();
        }
        finally
        {
            (await _world.Slurm.RunAsRootAsync("scontrol update partition=cpu state=up; scontrol update nodename=gpu4 state=resume")).ShouldExit(0);
        }

        (await _world.Slurm.RunAsRootAsync($"scontrol release {await IdAsync("held")}")).ShouldExit(0);
        await _world.UntilAsync("held", "Succeeded");
        await _world.UntilAsync("down", "Succeeded");
        await _world.UntilAsync("drained", "Succeeded");
    }

    [Fact]
    public async Task Who_may_not_and_what_can_not_be_is_refused_and_each_namespace_is_its_own_user()
    {
        await _world.SubmitAsync("array", "true", spec => Place(spec, ["--array=1-3"]));
        await _world.SubmitAsync("mine", "id -un");
        await _world.SubmitAsync("theirs", "id -un; echo $HOME", ns: "other");
        await _world.SubmitAsync("nobodys", "true", ns: "stranger");
        ((string?)(await _world.UntilAsync("array", "Failed"))["message"]).ShouldNotBeNull().ShouldContain("option '--array=1-3' is none that a job may set");
        ((string?)(await _world.UntilAsync("nobodys", "Failed", "stranger"))["message"]).ShouldNotBeNull().ShouldContain("namespace stranger is nobody on SlurmCluster alps");
        await _world.UntilAsync("mine", "Succeeded");
        await _world.UntilAsync("theirs", "Succeeded", "other");
        (await LogAsync("mine", _world.Slurm.A)).ShouldBe($"{_world.Slurm.A.Name}\n");
        (await LogAsync("theirs", _world.Slurm.B, "other")).ShouldBe($"{_world.Slurm.B.Name}\n{_world.Slurm.B.Home}\n");
    }

    [Fact]
    public async Task Ends_that_come_from_outside_have_their_own_reasons()
    {
        await _world.SubmitAsync("ended", ForAWhile);
        await _world.SubmitAsync("greedy", "exec /usr/bin/python3 -c 'import time; x = b\"x\" * (300 << 20); time.sleep(60)'", spec =>
        {
            spec["nodes"] = 1;
            Place(spec, ["--mem=50M"]);
        });
        await _world.SubmitAsync("mute", "[ $TRESTLE_NODE_RANK = 0 ] || exit 0; echo begins; sleep 300", spec => spec["recovery"] = JsonNode.Parse("""{"hangTimeout":"4s"}"""));
        await _world.SubmitAsync("stuck", "touch $TRESTLE_HEARTBEAT_FILE; while sleep 0.2; do echo talks; done", spec => (spec["nodes"], spec["recovery"]) = (1, JsonNode.Parse("""{"hangTimeout":"4s"}""")));
        await _world.SubmitAsync("lively", "for i in $(seq 24); do sleep 0.5; echo $i; done", spec => (spec["nodes"], spec["recovery"]) = (1, JsonNode.Parse("""{"hangTimeout":"4s"}""")));
        await _world.UntilAsync("ended", "Running");
        (await _world.Slurm.RunAsync(_world.Slurm.A, $"scancel {await IdAsync("ended")}")).ShouldExit(0);
        ((string?)(await _world.UntilAsync("ended", "Cancelled"))["reason"]).ShouldBe("CancelledInSlurm");
        // Without cgroups Slurm sees the memory, but says only that the job was killed.
        ((string?)(await _world.UntilAsync("greedy", "Failed"))["exit"]!["code"]?.ToString()).ShouldBe("137");
        var mute = await _world.UntilAsync("mute", "Failed");
        ((string?)mute["reason"], (int?)mute["exit"]!["rank"]).ShouldBe(("Hung", 0));
        ((string)mute["message"]!).ShouldContain("no rank has shown a sign of life for");
        ((string?)(await _world.UntilAsync("stuck", "Failed"))["message"]).ShouldNotBeNull().ShouldContain("rank 0 has not touched its heartbeat file for");
        await _world.UntilAsync("lively", "Succeeded");
    }

    [Fact]
    public async Task A_preempted_job_runs_again_when_the_other_has_ended()
    {
        await _world.SubmitAsync("low", $"[ $TRESTLE_ATTEMPT = 2 ] || {{ {ForAWhile}; }}", spec => Place(spec, ["--exclusive", "--nodelist=gpu4"], qos: "low"));
        await _world.UntilAsync("low", "Running");
        await _world.SubmitAsync("high", "sleep 1", spec => Place(spec, ["--exclusive", "--nodelist=gpu4"], qos: "high"));
        await _world.UntilAsync("high", "Succeeded");
        var low = await _world.UntilAsync("low", "Succeeded");
        ((int?)low["attempt"], (int?)low["restarts"]!["preempted"], (int?)low["restarts"]!["counted"]).ShouldBe((2, 1, null));
    }

    [Fact]
    public async Task A_node_that_dies_is_left_and_the_job_runs_again_elsewhere()
    {
        await _world.SubmitAsync("moved", $"[ $TRESTLE_ATTEMPT = 2 ] || {{ {ForAWhile}; }}", spec => (spec["nodes"], spec["resources"]) = (1, new JsonObject { ["accelerators"] = "H100:8", ["cpus"] = "60" }));
        var node = (string)(await _world.UntilAsync("moved", "Running"))["nodes"]!["ranks"]![0]!["node"]!;
        await _world.Slurm.KillAsync($"slurmd.{node}");
        var moved = await _world.UntilAsync("moved", "Succeeded");
        ((int?)moved["attempt"], (int?)moved["restarts"]!["infrastructure"], (int?)moved["restarts"]!["counted"]).ShouldBe((2, 1, null));
        ((string?)moved["nodes"]!["ranks"]![0]!["node"]).ShouldNotBe(node);
        var second = (await _world.Api.ReadAsync("apis/trestle.dev/v1alpha1/namespaces/default/slurmjobs/moved-a2", Ct))!;
        second["spec"]!["options"]!.AsArray().Select(option => (string?)option).ShouldContain($"--exclude={node}");
    }

    [Fact]
    public async Task Tasks_of_a_group_know_each_other_by_name()
    {
        static JsonObject Task(string name, int nodes, string run) => new()
        {
            ["name"] = name,
            ["job"] = new JsonObject { ["nodes"] = nodes, ["run"] = run, ["placement"] = JsonNode.Parse("""[{"slurm":{"cluster":"alps"}}]""") },
        };

        // Knows the other by name, and then (step 1) that the other has come as far.
        static string Met(string other, int step = 0) => step == 0
            ? $"until getent hosts {other}.pair; do sleep 0.1; done"
            : $"touch $HOME/$TRESTLE_TASK-$TRESTLE_NODE_RANK.met; until [ -e $HOME/{other}.met ]; do sleep 0.1; done";
        await _world.Api.CreateAsync("apis/trestle.dev/v1alpha1/namespaces/default/jobgroups", new JsonObject
        {
            ["apiVersion"] = "trestle.dev/v1alpha1",
            ["kind"] = "JobGroup",
            ["metadata"] = new JsonObject { ["name"] = "pair" },
            ["spec"] = new JsonObject
            {
                ["tasks"] = new JsonArray(
                    Task("one", 1, $"{Met("two-0")}; {Met("two-1")}; {Met("two-0", 1)}; {Met("two-1", 1)}"),
                    Task("two", 2, $"{Met("one-0")}; {Met("one-0", 1)}")),
            },
        }, Ct);
        await _world.UntilAsync("pair-one", "Succeeded");
        await _world.UntilAsync("pair-two", "Succeeded");
        (await _world.Slurm.RunAsRootAsync($"ls {_world.Slurm.A.Home}/.trestle/groups")).Out.ShouldBeEmpty("nothing is left of the names");
    }

    [Fact]
    public async Task Code_comes_from_a_repository_at_the_commit_that_is_named()
    {
        (await _world.Slurm.RunAsync(_world.Slurm.A, """
            export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
            git init -q -b main code && cd code && mkdir src && echo 'echo first' >src/say.sh && git add . && git commit -qm 1 && git tag one && echo 'echo second' >src/say.sh && git commit -qam 2
            """)).ShouldExit(0);
        var url = $"file://{_world.Slurm.A.Home}/code";
        JsonObject Git(string reference) => new() { ["git"] = new JsonObject { ["url"] = url, ["path"] = "src", ["ref"] = reference } };
        await _world.SubmitAsync("newest", "sh say.sh", spec => spec["workdir"] = Git("main"));
        await _world.SubmitAsync("tagged", "sh say.sh", spec => spec["workdir"] = Git("one"));
        await _world.SubmitAsync("nowhere", "sh say.sh", spec => spec["workdir"] = Git("none"));
        static string Data(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
        await _world.Api.CreateAsync("api/v1/namespaces/default/secrets", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = "deploy" },
            ["data"] = new JsonObject { ["ssh-privatekey"] = Data(_world.Slurm.A.Ed25519Key), ["known_hosts"] = Data(_world.Slurm.KnownHosts) },
        }, Ct);
        await _world.SubmitAsync("private", "sh say.sh", spec =>
        {
            spec["workdir"] = Git("main");
            spec["workdir"]!["git"]!["url"] = $"ssh://{_world.Slurm.A.Name}@{_world.Slurm.Host}:{_world.Slurm.Port}{_world.Slurm.A.Home}/code";
            spec["workdir"]!["git"]!["secretRef"] = new JsonObject { ["name"] = "deploy" };
        });
        await _world.UntilAsync("newest", "Succeeded");
        await _world.UntilAsync("tagged", "Succeeded");
        (await LogAsync("newest", _world.Slurm.A)).ShouldBe("second\n");
        (await LogAsync("tagged", _world.Slurm.A)).ShouldBe("first\n");
        await _world.UntilAsync("private", "Succeeded");
        (await LogAsync("private", _world.Slurm.A)).ShouldBe("second\n");
        var nowhere = await _world.UntilAsync("nowhere", "Failed");
        ((string?)nowhere["reason"], (string?)nowhere["exit"]!["stage"]).ShouldBe(("StartFailed", "Start"));
        ((string)nowhere["exit"]!["message"]!).ShouldContain("git can't get none from the repository of workdir.git");
        (await _world.Slurm.RunAsRootAsync($"grep -rl 'OPENSSH PRIVATE KEY' {_world.Slurm.A.Home}/.trestle; find /tmp -maxdepth 1 -user {_world.Slurm.A.Name} -name 'trestle-code.*'")).Out.ShouldBeEmpty("the key is gone");
    }

    [Fact]
    public async Task Without_accounting_jobs_are_sent_followed_and_end()
    {
        await _world.Slurm.StopAsync("slurmdbd");
        try
        {
            await _world.SubmitAsync("unaccounted", "true", spec => spec["nodes"] = 1);
            ((int?)(await _world.UntilAsync("unaccounted", "Succeeded"))["attempt"]).ShouldBe(1);
        }
        finally
        {
            await _world.Slurm.StartAsync("slurmdbd");
        }
    }

    [Fact]
    public async Task A_connection_that_is_cut_in_the_middle_of_sbatch_leaves_one_job()
    {
        await _world.Slurm.StopAsync("slurmctld");
        try
        {
            await _world.SubmitAsync("cut", "echo once >>$HOME/cut", spec => spec["nodes"] = 1);
            await Condition.UntilAsync("sbatch waits for slurmctld", async () => (await _world.Slurm.RunAsRootAsync($"pgrep -u {_world.Slurm.A.Name} -x sbatch")).ExitCode == 0, explain: _world.ExplainAsync);
            await _world.Slurm.KillAsync("connections");
        }
        finally
        {
            await _world.Slurm.StartAsync("slurmctld");
        }

        ((int?)(await _world.UntilAsync("cut", "Succeeded"))["attempt"]).ShouldBe(1);
        (await File.ReadAllTextAsync(Path.Combine(_world.Slurm.A.Home, "cut"), Ct)).ShouldBe("once\n");
    }

    [Fact]
    public async Task A_full_home_directory_is_told_and_the_job_is_sent_when_there_is_room()
    {
        // Every write fails as on a full disk; directories can still be made.
        (await _world.Slurm.RunAsync(_world.Slurm.B, "printf 'trap \"\" XFSZ\\nulimit -f 0\\n' >.bashrc")).ShouldExit(0);
        try
        {
            await _world.SubmitAsync("crowded", "true", ns: "other");
            await Condition.UntilAsync("it is told", async () => ((string?)(await _world.StatusAsync("crowded", "other"))["message"])?.Contains("is the file system of workRoot full?", StringComparison.Ordinal) == true, explain: _world.ExplainAsync);
        }
        finally
        {
            (await _world.Slurm.RunAsync(_world.Slurm.B, "rm .bashrc")).ShouldExit(0);
        }

        ((int?)(await _world.UntilAsync("crowded", "Succeeded", "other"))["attempt"]).ShouldBe(1);
    }

    private async Task AreToldAsync()
    {
        await _world.SubmitAsync("held", "true", spec => Place(spec, ["--hold"]));
        await _world.SubmitAsync("down", "true", spec => Place(spec, [], "cpu"));
        await _world.SubmitAsync("drained", "true", spec => Place(spec, ["--nodelist=gpu4"]));
        await UntilReasonAsync("held", "HeldInSlurm");
        await Condition.UntilAsync("the state of the partition is told", async () => ((string?)(await _world.StatusAsync("down"))["message"])?.Contains("PartitionDown", StringComparison.Ordinal) == true, explain: _world.ExplainAsync);
        await UntilReasonAsync("drained", "CannotStart");
        ((string)(await _world.StatusAsync("drained"))["message"]!).ShouldEndWith("Slurm would not start it: Requested node configuration is not available");
    }

    private static void Place(JsonObject spec, string[] options, string? partition = null, string? qos = null)
    {
        var slurm = new JsonObject { ["cluster"] = "alps", ["options"] = new JsonArray([.. options.Select(option => JsonValue.Create(option))]) };
        if (partition is not null) slurm["partition"] = partition;
        if (qos is not null) slurm["qos"] = qos;
        spec["nodes"] = 1;
        spec["placement"] = new JsonArray(new JsonObject { ["slurm"] = slurm });
    }

    private Task UntilReasonAsync(string name, string reason) =>
        Condition.UntilAsync($"{name} is {reason}", async () => (string?)(await _world.StatusAsync(name))["reason"] == reason, explain: _world.ExplainAsync);

    private async Task<string> IdAsync(string name) => (string)(await _world.StatusAsync(name))["placement"]!["slurm"]!["jobId"]!;

    private async Task<string> LogAsync(string name, Testing.Slurm.SlurmUser user, string ns = "default")
    {
        var uid = (string)(await _world.Api.ReadAsync($"apis/trestle.dev/v1alpha1/namespaces/{ns}/trainingjobs/{name}", Ct))!["metadata"]!["uid"]!;
        return await File.ReadAllTextAsync(Path.Combine(user.Home, ".trestle", $"{uid[..8]}-a1", "rank-0.log"), Ct);
    }
}
