using System.Text.Json;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Integration.Tests.Launch;
using Trestle.Operator.Launch;
using Trestle.Operator.Views;
using Trestle.Runtime;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Integration.Tests.CacheMount;

/// <summary>A mount as the sidecar of a rank: the real program, the operator's real server for ranks, an S3 server.</summary>
public sealed class MountSidecarTests : IAsyncLifetime
{
    private const string Uid = "6f1c";
    private readonly FixedCache<TrainingJob> _jobs = new();
    private readonly FixedCache<PodView> _pods = new();
    private readonly RendezvousKey _key = new(TokenKey.NewSecret());
    private readonly TemporaryDirectory _files = new();
    private RendezvousServer? _operator;
    private FaultyS3? _server;
    private string _url = "";

    private FaultyS3 Server => _server ?? throw new InvalidOperationException("the S3 server has not started");

    private RendezvousServer Operator => _operator ?? throw new InvalidOperationException("the operator has not started");

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyS3.StartAsync();
        _operator = new RendezvousServer(_jobs, _pods, new FixedCache<JobGroup>(), _key, TimeProvider.System);
        _url = await _operator.StartAsync("http://127.0.0.1:0", TestContext.Current.CancellationToken);
        Put(null);
        _files.Write("run/env", "");
    }

    public async ValueTask DisposeAsync()
    {
        if (_operator is not null) await _operator.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
        _files.Dispose();
    }

    [Fact]
    public async Task It_tells_what_is_pending_what_is_durable_and_answers_when_all_of_it_is_stored()
    {
        var isDown = true;
        Server.Fault = call => isDown && call.Kind == "put" ? S3Fault.Error500 : S3Fault.None;
        await using var mount = Start();
        await mount.ReadyAsync();
        await UntilAsync("it is heard of", report => report.IsDurable && !report.IsLast);
        _files.Write("cache/files/step-1/weights", "weights");
        _files.Write("cache/files/step-1/.metadata", "1");
        await UntilAsync("it says what is pending", report => report is { PendingFiles: 2, PendingBytes: 8, PendingCheckpoints: 1, Trouble: not null });
        _files.Write("run/flush-0", "");
        await UntilAsync("it says that the code has ended", report => report is { IsLast: true, IsDurable: false });
        File.Exists(_files["run/flushed-0"]).ShouldBeFalse();

        isDown = false;
        await Condition.UntilAsync("it answers", () => File.Exists(_files["run/flushed-0"]));
        Text(_files["run/flushed-0"]).ShouldBeEmpty();
        var last = Report().ShouldNotBeNull();
        (last.IsDurable, last.IsLast, last.Checkpoints.Single().Name, last.Checkpoints.Single().Bytes).ShouldBe((true, true, "step-1", 8));
        mount.Signal("TERM");
        (await mount.EndAsync()).ShouldExit(0);
    }

    [Fact]
    public async Task What_can_not_be_stored_is_in_its_answer()
    {
        await using var mount = Start();
        await mount.ReadyAsync();
        _files.Write("cache/files/line\nbreak", "1");
        _files.Write("run/flush-0", "");
        await Condition.UntilAsync("it answers", () => File.Exists(_files["run/flushed-0"]));
        Text(_files["run/flushed-0"]).ShouldContain("control characters");
    }

    [Fact]
    public async Task A_checkpoint_is_committed_because_the_job_says_so_and_once()
    {
        await using var mount = Start();
        await mount.ReadyAsync();
        _files.Write("cache/files/final/weights", "weights");
        Put("final@2026-01-01T00:00:00Z");
        await UntilAsync("it is durable", report => report.Checkpoints is [{ Name: "final" }]);
        Server.Objects.Visible.Count(key => key == "run/.trestle/checkpoints/final.json").ShouldBe(1);
        Put("../../etc@2026-01-02T00:00:00Z");
        await Condition.UntilAsync("it says no", () => mount.Log.Contains("there is no ../../etc to commit", StringComparison.Ordinal));
        Server.Objects.Visible.Count(key => key.EndsWith(".json", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task What_was_fetched_is_there_when_it_is_ready_and_is_not_told_as_its_own()
    {
        await using (var writer = Start("writer"))
        {
            await writer.ReadyAsync();
            _files.Write("writer/files/step-1", "weights");
            await writer.FlushAsync();
        }

        await using var mount = Start();
        await mount.ReadyAsync();
        Text(_files["cache/files/step-1"]).ShouldBe("weights");
        await UntilAsync("it is heard of", report => report is { IsDurable: true, Checkpoints.Count: 0 });
    }

    [Fact]
    public async Task It_goes_on_without_an_operator_and_says_so_once()
    {
        await Operator.DisposeAsync();
        await using var mount = Start();
        await mount.ReadyAsync();
        _files.Write("cache/files/a", "1");
        _files.Write("run/flush-0", "");
        await Condition.UntilAsync("it answers", () => File.Exists(_files["run/flushed-0"]));
        Server.Objects.Keys.ShouldContain("run/a");
        mount.Log.Split("can't tell the operator").Length.ShouldBe(2);
    }

    [Theory]
    [InlineData("bucket", "does not exist")]
    [InlineData("secret", "denied")]
    public async Task A_look_says_in_one_sentence_why_a_bucket_can_not_be_used(string what, string why)
    {
        var bucket = what == "bucket" ? "no-such-bucket" : FaultyS3.Bucket;
        Server.Fault = _ => what == "secret" ? S3Fault.Denied : S3Fault.None;
        (await MountProcess.RunAsync("look", "--store", $"s3://{bucket}/run", "--endpoint", Server.Endpoint.AbsoluteUri, "--path-style", "true", "--out", _files["out"])).ShouldExit(1);
        var said = Text(_files["out"]);
        said.ShouldContain(why);
        said.Split('\n').Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_look_counts_what_is_there_and_leaves_nothing_behind()
    {
        await using (var writer = Start("writer"))
        {
            await writer.ReadyAsync();
            _files.Write("writer/files/step-1", "weights");
            _files.Write("writer/files/log", "1");
            await writer.FlushAsync();
        }

        var before = Server.Objects.Keys;
        (await MountProcess.RunAsync("look", "--store", $"s3://{FaultyS3.Bucket}/run", "--endpoint", Server.Endpoint.AbsoluteUri, "--path-style", "true", "--out", _files["out"])).ShouldExit(0);
        var report = StorageReport.FromText(Text(_files["out"])).ShouldNotBeNull();
        (report.Bytes, report.Objects, report.IsComplete, report.WriteError, report.Checkpoints.Single().Name).ShouldBe((8, 2, true, null, "step-1"));
        Server.Objects.Keys.ShouldBe(before);
    }

    private MountProcess Start(string cache = "cache") => MountProcess.Start(_files[cache], Server, null,
        "--fetch", "true",
        "--report", _url + RendezvousServer.MountPath(Uid, 1, 2, 0),
        "--token-file", _files.Write("token", _key.Token(Uid, 1, 2)),
        "--flush-request", _files["run/flush-0"],
        "--flush-answer", _files["run/flushed-0"]);

    private static string Text(string path) => File.ReadAllText(path);

    private MountReport? Report() => Operator.Mounts.Of(Uid, 1) is [{ Rank: 2, Mount: 0 } told] ? told.Report : null;

    private Task UntilAsync(string what, Func<MountReport, bool> holds) =>
        Condition.UntilAsync(what, () => Report() is { } report && holds(report), TimeSpan.FromSeconds(30), () => Task.FromResult(JsonSerializer.Serialize(Report())));

    private void Put(string? commit)
    {
        _jobs.Put(new TrainingJob
        {
            Metadata = new V1ObjectMeta { Name = "sft", NamespaceProperty = "research", Uid = Uid, Annotations = commit is null ? null : new Dictionary<string, string> { [Annotations.CommitCheckpoint] = commit } },
            Spec = new TrainingJobSpec { Run = "true" },
        });
        _pods.Put(new PodView { Metadata = new V1ObjectMeta { Name = "sft-2-a1", NamespaceProperty = "research", Labels = new Dictionary<string, string> { [Labels.JobUid] = Uid, [Labels.JobName] = "sft" } } });
    }
}
