using System.Net;
using System.Net.Http.Headers;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Views;
using Trestle.Runtime;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Launch;

public sealed class RendezvousTests : IAsyncDisposable
{
    private const string Uid = "6f1c";
    private readonly FixedCache<TrainingJob> _jobs = new();
    private readonly FixedCache<PodView> _pods = new();
    private readonly RendezvousKey _key = new(TokenKey.NewSecret());
    private readonly TemporaryDirectory _files = new();
    private readonly HttpClient _http = new();
    private RendezvousServer _server;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public RendezvousTests()
    {
        _server = NewServer();
        Job(attempt: 1, TrainingJobPhase.Starting);
        for (var rank = 0; rank < 3; rank++) Pod(rank, null);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
        _files.Dispose();
    }

    [Fact]
    public async Task Every_rank_is_told_of_all_as_soon_as_the_last_has_an_address()
    {
        var url = await _server.StartAsync("http://127.0.0.1:0", Ct);
        await using var zero = Node(url, 0);
        await using var one = Node(url, 1);
        await using var two = Node(url, 2);
        foreach (var rank in (int[])[2, 0, 1])
        {
            File.Exists(_files["env-0"]).ShouldBeFalse();
            Pod(rank, $"10.0.0.{rank}");
            _server.PodChanged();
        }

        foreach (var (rank, node) in ((Command[])[zero, one, two]).Index())
        {
            (await node.EndAsync(TimeSpan.FromSeconds(20))).ShouldExit(0);
            var said = await Command.RunAsync("dash", ["-c", ". \"$0\"; echo \"$TRESTLE_NODE_RANK $TRESTLE_NUM_NODES $TRESTLE_HEAD_ADDR $MASTER_PORT\"; echo \"$TRESTLE_NODE_IPS\"", _files[$"env-{rank}"]]);
            said.ShouldExit(0).Out.ShouldBe($"{rank} 3 10.0.0.0 {LaunchEnvironment.HeadPort(Uid, 1)}\n10.0.0.0\n10.0.0.1\n10.0.0.2\n");
        }
    }

    [Fact]
    public async Task A_rank_waits_for_an_operator_that_is_away()
    {
        var url = await _server.StartAsync("http://127.0.0.1:0", Ct);
        await _server.DisposeAsync();
        await using var node = Node(url, 0);
        await Condition.UntilAsync("it says that it waits", () => node.Error.Contains("waiting for the operator", StringComparison.Ordinal));
        _server = NewServer();
        for (var rank = 0; rank < 3; rank++) Pod(rank, $"10.0.0.{rank}");
        await _server.StartAsync(url, Ct);
        (await node.EndAsync(TimeSpan.FromSeconds(30))).ShouldExit(0);
        File.Exists(_files["env-0"]).ShouldBeTrue();
    }

    [Fact]
    public async Task A_rank_of_an_attempt_that_is_over_ends_with_a_sentence()
    {
        Job(attempt: 2, TrainingJobPhase.Starting);
        await using var node = Node(await _server.StartAsync("http://127.0.0.1:0", Ct), 0);
        (await node.EndAsync(TimeSpan.FromSeconds(20))).ShouldExit(1).Error.ShouldContain("attempt 1 of the job sft is over");
    }

    [Fact]
    public async Task A_token_of_another_rank_is_refused()
    {
        for (var rank = 0; rank < 3; rank++) Pod(rank, $"10.0.0.{rank}");
        var url = await _server.StartAsync("http://127.0.0.1:0", Ct);
        await using var node = Node(url, 0, _key.Token(Uid, 1, 1));
        (await node.EndAsync(TimeSpan.FromSeconds(20))).ShouldExit(1).Error.ShouldContain("token");
        File.Exists(_files["env-0"]).ShouldBeFalse();
        (await _http.GetAsync(new Uri(url + RendezvousServer.Path(Uid, 1, 0)), Ct)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/rendezvous/x/1")]
    [InlineData("/rendezvous/x/one/0")]
    [InlineData("/rendezvous/x/1/-1")]
    [InlineData("/rendezvous/x/99999999999/0")]
    public async Task Other_paths_are_nothing(string path) =>
        (await _http.GetAsync(new Uri(await _server.StartAsync("http://127.0.0.1:0", Ct) + path), Ct)).StatusCode.ShouldBe(HttpStatusCode.NotFound);

    [Fact]
    public async Task A_server_that_stops_lets_go_of_who_waits()
    {
        var url = await _server.StartAsync("http://127.0.0.1:0", Ct);
        using var request = new HttpRequestMessage(HttpMethod.Get, url + RendezvousServer.Path(Uid, 1, 0));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key.Token(Uid, 1, 0));
        var asked = _http.SendAsync(request, Ct);
        await Condition.UntilAsync("the request waits", () => _server.WaitingRequests == 1);
        await _server.DisposeAsync();
        (await asked.WaitAsync(TimeSpan.FromSeconds(10), Ct)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task A_sidecar_tells_how_long_there_was_no_sign_of_life_and_ends_well()
    {
        var url = await _server.StartAsync("http://127.0.0.1:0", Ct);
        _files.Write("run/env", "");
        await using var node = Heart(url, _key.Token(Uid, 1, 2));
        await UntilAsync("it is heard of", beat => beat.Untouched is null);
        await UntilAsync("it says that nothing is seen", beat => beat.Silent > TimeSpan.FromSeconds(0.5));
        _files.Write("run/output", "a line");
        await UntilAsync("it has seen the line", beat => beat.Silent < TimeSpan.FromSeconds(0.5) && beat.Untouched is null);
        _files.Write("run/heartbeat", "");
        await UntilAsync("it has seen the touch", beat => beat.Untouched is not null);
        await UntilAsync("it has not seen another one", beat => beat.Untouched > TimeSpan.FromSeconds(0.5));
        node.Signal("TERM");
        (await node.EndAsync(TimeSpan.FromSeconds(20))).ShouldExit(0).Error.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sidecar_goes_on_whatever_the_operator_does()
    {
        var url = await _server.StartAsync("http://127.0.0.1:0", Ct);
        _files.Write("run/env", "");
        await using var refused = Heart(url, _key.Token(Uid, 1, 1));
        await Condition.UntilAsync("it says that it is refused", () => refused.Error.Contains("it answered 403", StringComparison.Ordinal));
        _server.Heartbeats.Of(Uid, 1).ShouldBeEmpty();
        await using var node = Heart(url, _key.Token(Uid, 1, 2));
        await UntilAsync("it is heard of", _ => true);
        await _server.DisposeAsync();
        await Condition.UntilAsync("it says that nobody hears it", () => node.Error.Contains("it goes on", StringComparison.Ordinal));
        _server = NewServer();
        await _server.StartAsync(url, Ct);
        await UntilAsync("it is heard of again", _ => true);
        (refused.HasExited, node.HasExited).ShouldBe((false, false));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?silent=-1")]
    [InlineData("?silent=NaN")]
    [InlineData("?silent=1e300")]
    [InlineData("?silent=1&untouched=x")]
    public async Task Times_that_are_none_are_refused(string query)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, await _server.StartAsync("http://127.0.0.1:0", Ct) + RendezvousServer.HeartbeatPath(Uid, 1, 0) + query);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key.Token(Uid, 1, 0));
        (await _http.SendAsync(request, Ct)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        _server.Heartbeats.Of(Uid, 1).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("rendezvous")]
    [InlineData("heartbeat")]
    [InlineData("heartbeat", "--url", "http://o", "--token-file", "t", "--run", "r", "--every", "often")]
    [InlineData("rendezvous", "--url", "nowhere", "--token-file", "t", "--out", "o")]
    [InlineData("else")]
    public async Task Wrong_arguments_get_the_usage(params string[] arguments)
    {
        await using var node = NodeProgram.Start(arguments);
        (await node.EndAsync()).ShouldExit(2).Error.ShouldContain("trestle-node " + (arguments[0] == "heartbeat" ? "heartbeat" : "rendezvous") + " --url");
    }

    private RendezvousServer NewServer() => new(_jobs, _pods, new FixedCache<JobGroup>(), _key, TimeProvider.System);

    private Command Node(string url, int rank, string? token = null) => NodeProgram.Start("rendezvous",
        "--url", url + RendezvousServer.Path(Uid, 1, rank),
        "--token-file", _files.Write($"token-{rank}", token ?? _key.Token(Uid, 1, rank)),
        "--out", _files[$"env-{rank}"]);

    private Command Heart(string url, string token) => NodeProgram.Start("heartbeat",
        "--url", url + RendezvousServer.HeartbeatPath(Uid, 1, 2),
        "--token-file", _files.Write($"token-{token[..8]}", token),
        "--run", _files["run"],
        "--every", "100ms");

    private Task UntilAsync(string what, Func<Heartbeat, bool> holds) =>
        Condition.UntilAsync(what, () => _server.Heartbeats.Of(Uid, 1).TryGetValue(2, out var beat) && holds(beat));

    private void Job(int attempt, TrainingJobPhase phase) => _jobs.Put(new TrainingJob
    {
        Metadata = new V1ObjectMeta { Name = "sft", NamespaceProperty = "research", Uid = Uid },
        Spec = new TrainingJobSpec { Nodes = 3, Run = "true" },
        Status = new TrainingJobStatus { Phase = phase, Attempt = attempt },
    });

    private void Pod(int rank, string? address) => _pods.Put(new PodView
    {
        Metadata = new V1ObjectMeta
        {
            Name = Names.Pod("sft", rank, 1),
            NamespaceProperty = "research",
            Labels = new Dictionary<string, string> { [Labels.JobUid] = Uid, [Labels.JobName] = "sft", [Labels.Attempt] = "1", [Labels.Rank] = $"{rank}" },
        },
        Status = new PodViewStatus { PodIP = address },
    });
}
