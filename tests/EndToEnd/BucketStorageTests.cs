using System.Text.Json.Nodes;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.EndToEnd.Tests;

/// <summary>Storages that are buckets, on a one-machine plane with an S3 server beside it.</summary>
public sealed class BucketStorageTests : IAsyncLifetime
{
    private LocalPlane? _plane;
    private FaultyS3? _server;

    private LocalPlane Plane => _plane ?? throw new InvalidOperationException("the plane has not started");

    private FaultyS3 Server => _server ?? throw new InvalidOperationException("the S3 server has not started");

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyS3.StartAsync();
        _plane = await LocalPlane.StartAsync(nodes: 2);
    }

    public async ValueTask DisposeAsync()
    {
        if (_plane is not null) await _plane.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
    }

    [Fact]
    public async Task What_a_job_wrote_is_in_the_bucket_when_it_has_succeeded_and_the_next_attempt_finds_it()
    {
        await MakeStorageAsync("ckpts", FaultyS3.Bucket);
        await StartAsync("trainer", "ckpts", """
            set -e
            cd "$TRESTLE_CHECKPOINT_DIR"
            if [ "$TRESTLE_ATTEMPT" = 1 ]; then
              echo "attempt 1" >log.txt
              mkdir step-1.tmp
              head -c 20000000 /dev/urandom >step-1.tmp/weights
              sha256sum step-1.tmp/weights | cut -d' ' -f1 >step-1.tmp/sum
              mv step-1.tmp step-1
              exit 1
            fi
            [ "$(sha256sum step-1/weights | cut -d' ' -f1)" = "$(cat step-1/sum)" ]
            echo "attempt 2" >>log.txt
            mkdir step-2
            cp step-1/weights step-2/weights
            touch step-2/DONE
            """);

        var job = await Plane.PhaseAsync("trainingjobs", "trainer", ["Succeeded", "Failed"], TimeSpan.FromSeconds(120));
        var status = job["status"]!;
        ((string?)status["phase"], (int)status["attempt"]!).ShouldBe(("Succeeded", 2), await Plane.ExplainAsync());
        ((string?)status["checkpoint"]?["latest"]).ShouldBe("step-2", await Plane.ExplainAsync());
        Condition(status, "Durable").ShouldBe("True", await Plane.ExplainAsync());
        Read("log.txt").ShouldBe("attempt 1\nattempt 2\n"u8.ToArray());
        Read("step-2/weights").ShouldBe(Read("step-1/weights"));
        Server.Objects.Keys.ShouldContain(".trestle/checkpoints/step-2.json");

        await Plane.UntilAsync("the storage shows both checkpoints", async () =>
            (await StorageAsync("ckpts"))?["status"]?["checkpoints"]?.AsArray().Select(checkpoint => (string?)checkpoint!["name"]).Order().SequenceEqual(["step-1", "step-2"]) == true);
        var storage = (await StorageAsync("ckpts"))!["status"]!;
        ((string?)storage["phase"], (long)storage["objects"]! >= 5).ShouldBe(("Ready", true), storage.ToJsonString());
        ((string?)storage["checkpoints"]![0]!["uri"]).ShouldBe("s3://checkpoints/step-2");
        (await Plane.TrestleAsync("storage")).ShouldExit(0).Out.ShouldContain("s3://checkpoints");
        var listed = (await Plane.TrestleAsync("checkpoints", "ckpts")).ShouldExit(0).Out.Split('\n')[1..3].Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..3]));
        listed.ShouldBe(["ckpts step-2 durable", "ckpts step-1 durable"]);
    }

    [Fact]
    public async Task A_checkpoint_is_committed_by_a_command()
    {
        await MakeStorageAsync("final", FaultyS3.Bucket, "final/");
        await StartAsync("writer", "final", """
            cd "$TRESTLE_CHECKPOINT_DIR"
            mkdir model && echo weights >model/weights
            until [ -f end ]; do sleep 0.1; done
            """);
        await Plane.UntilAsync("the file is stored", () => Task.FromResult(Server.Objects.Keys.Contains("final/model/weights")), TimeSpan.FromSeconds(60));
        (await Plane.TrestleAsync("checkpoint", "commit", "writer", "model")).ShouldExit(0);
        await Plane.UntilAsync("the job has a durable checkpoint", async () => (string?)(await Plane.TrainingJobAsync("writer"))?["status"]?["checkpoint"]?["latest"] == "model", TimeSpan.FromSeconds(60));
        Server.Objects.Keys.ShouldContain("final/.trestle/checkpoints/model.json");
        (await Plane.TrestleAsync("checkpoint", "commit", "writer", "../etc")).ShouldExit(2);
        (await Plane.TrestleAsync("cancel", "writer")).ShouldExit(0);
        await Plane.PhaseAsync("trainingjobs", "writer", ["Cancelled"], TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_job_waits_for_its_bucket_and_says_what_to_change()
    {
        await MakeStorageAsync("lost", "no-such-bucket");
        await StartAsync("waits", "lost", "true");
        await Plane.UntilAsync("the job says that the bucket is missing", async () =>
            (await Plane.TrainingJobAsync("waits"))?["status"] is { } status && (string?)status["reason"] == "StorageFailed" && ((string)status["message"]!).Contains("the bucket of s3://no-such-bucket/ does not exist", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        (await Plane.ListAsync("api/v1/namespaces/default/pods?labelSelector=trestle.dev/job-name=waits")).ShouldBeEmpty();

        (await Plane.KubectlAsync("patch", "storages.trestle.dev", "lost", "--type=merge", "-p", new JsonObject { ["spec"] = new JsonObject { ["s3"] = new JsonObject { ["bucket"] = FaultyS3.Bucket } } }.ToJsonString())).ShouldExit(0);
        ((string?)(await Plane.PhaseAsync("trainingjobs", "waits", ["Succeeded", "Failed"], TimeSpan.FromSeconds(90)))["status"]!["phase"]).ShouldBe("Succeeded", await Plane.ExplainAsync());
    }

    [Fact]
    public async Task A_job_has_not_succeeded_before_the_store_has_what_it_wrote()
    {
        var isDown = true;
        Server.Fault = call => isDown && call is { Kind: "put" or "begin" or "part" } && !call.Key.Contains(".trestle/probe", StringComparison.Ordinal) ? S3Fault.Error500 : S3Fault.None;
        await MakeStorageAsync("slow", FaultyS3.Bucket, "slow/");
        await StartAsync("patient", "slow", """echo weights >"$TRESTLE_CHECKPOINT_DIR/step-1" """);
        await Plane.UntilAsync("the job says what it waits for", async () => (string?)(await Plane.TrainingJobAsync("patient"))?["status"]?["reason"] == "Flushing", TimeSpan.FromSeconds(60));
        Condition((await Plane.TrainingJobAsync("patient"))!["status"]!, "Durable").ShouldBe("False");

        isDown = false;
        ((string?)(await Plane.PhaseAsync("trainingjobs", "patient", ["Succeeded", "Failed"], TimeSpan.FromSeconds(90)))["status"]!["phase"]).ShouldBe("Succeeded", await Plane.ExplainAsync());
        Read("slow/step-1").ShouldBe("weights\n"u8.ToArray());
    }

    private static string? Condition(JsonNode status, string type) => (string?)status["conditions"]?.AsArray().FirstOrDefault(condition => (string?)condition!["type"] == type)?["status"];

    private byte[]? Read(string key) => Server.Objects[key]?.Bytes;

    private Task<JsonNode?> StorageAsync(string name) => Plane.GetAsync($"apis/trestle.dev/v1alpha1/namespaces/default/storages/{name}");

    private Task MakeStorageAsync(string name, string bucket, string prefix = "") => BucketObjects.MakeAsync(Plane, Server, name, bucket, prefix);

    private Task StartAsync(string name, string storage, string run) => BucketObjects.CreateAsync(Plane, new JsonObject
    {
        ["apiVersion"] = "trestle.dev/v1alpha1",
        ["kind"] = "TrainingJob",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject
        {
            ["run"] = run,
            ["mounts"] = new JsonArray(new JsonObject { ["path"] = "/ckpts", ["storage"] = storage, ["mode"] = "MountCached" }),
            ["recovery"] = new JsonObject { ["maxRestarts"] = 1, ["backoff"] = new JsonObject { ["initial"] = "1s" } },
        },
    });
}
