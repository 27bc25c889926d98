using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Trestle.Cli.Connection;
using Trestle.Cli.Logs;
using Trestle.Cli.Tests.Commands;

namespace Trestle.Cli.Tests.Logs;

/// <summary>The way to the logs of Slurm jobs, with an HTTP server in place of the API server and the bridge behind it.</summary>
public sealed class SlurmLogGateTests : IAsyncLifetime
{
    private const string Account = "/api/v1/namespaces/team/serviceaccounts/trestle-logs";
    private const string Proxy = "/api/v1/namespaces/trestle-system/services/http:trestle-bridge:logs/proxy";
    private readonly List<string> _asked = [];
    private readonly string _kubeconfig = Path.GetTempFileName();
    private readonly Queue<int> _answers = new();
    private string _place = Proxy;
    private WebApplication _server = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(AnswerAsync);
        await _server.StartAsync(Ct);
        await File.WriteAllTextAsync(_kubeconfig, $$$"""
            {"apiVersion":"v1","kind":"Config","current-context":"c","clusters":[{"name":"c","cluster":{"server":"{{{_server.Urls.First()}}}"}}],
             "users":[{"name":"u","user":{"token":"of-the-user"}}],"contexts":[{"name":"c","context":{"cluster":"c","user":"u","namespace":"team"}}]}
            """, Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        File.Delete(_kubeconfig);
    }

    [Fact]
    public async Task The_bridge_is_reached_through_the_api_server_with_a_token_that_is_asked_for_once()
    {
        using var cluster = Connect();
        var gate = new SlurmLogGate(cluster, "team", TimeProvider.System);
        for (var rank = 0; rank < 2; rank++)
        {
            var part = (await gate.OpenAsync("train-a1", $"{rank}", "offset=5", Ct))!;
            part.Offset.ShouldBe(5);
            using var reader = new StreamReader(part.Body);
            (await reader.ReadToEndAsync(Ct)).ShouldBe("hello\n");
        }

        _asked.ShouldBe(
        [
            $"GET {Account} user=Bearer of-the-user token=",
            $"POST {Account}/token user=Bearer of-the-user token=",
            $"GET {Proxy}/logs/team/train-a1/0?offset=5 user=Bearer of-the-user token=of-the-account",
            $"GET {Proxy}/logs/team/train-a1/1?offset=5 user=Bearer of-the-user token=of-the-account",
        ]);
    }

    [Fact]
    public async Task An_address_of_its_own_gets_the_token_and_nothing_of_the_user()
    {
        _place = $"{_server.Urls.First()}/elsewhere";
        using var cluster = Connect();
        (await new SlurmLogGate(cluster, "team", TimeProvider.System).OpenAsync("train-a1", "0", "offset=5", Ct)).ShouldNotBeNull();
        _asked[^1].ShouldBe("GET /elsewhere/logs/team/train-a1/0?offset=5 user= token=of-the-account");
    }

    [Theory]
    [InlineData("http://bridge.example:8092")]
    [InlineData("ftp://127.0.0.1/")]
    public async Task A_token_does_not_travel_in_the_clear(string place)
    {
        _place = place;
        using var cluster = Connect();
        (await Should.ThrowAsync<CliException>(() => new SlurmLogGate(cluster, "team", TimeProvider.System).OpenAsync("train-a1", "0", "offset=0", Ct))).Message.ShouldContain("neither https nor on this machine");
    }

    [Fact]
    public async Task Another_replica_is_asked_again_and_a_log_that_is_not_there_is_none()
    {
        foreach (var status in new[] { 421, 421, 404 }) _answers.Enqueue(status);
        using var cluster = Connect();
        (await new SlurmLogGate(cluster, "team", TimeProvider.System).OpenAsync("train-a1", "0", "offset=0", Ct)).ShouldBeNull();
    }

    [Theory]
    [InlineData(403, ExitCode.Forbidden, false)]
    [InlineData(502, ExitCode.Error, true)]
    [InlineData(503, ExitCode.Error, true)]
    public async Task A_refusal_is_told_in_its_own_words(int status, int code, bool isPassing)
    {
        _answers.Enqueue(status);
        using var cluster = Connect();
        var error = await Should.ThrowAsync<CliException>(() => new SlurmLogGate(cluster, "team", TimeProvider.System).OpenAsync("train-a1", "0", "offset=0", Ct));
        (error.ExitCode, error.IsPassing).ShouldBe((code, isPassing));
        error.Message.ShouldContain("no such luck");
    }

    private Cluster Connect() => Cluster.Connect(new ClusterTarget(_kubeconfig), new CapturedHost().Host);

    private Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        lock (_asked) _asked.Add($"{request.Method} {request.Path}{request.QueryString} user={request.Headers.Authorization} token={request.Headers["Trestle-Log-Token"]}");
        if (request.Path == Account) return response.WriteAsync($$$$"""{"metadata":{"annotations":{"trestle.dev/logs-at":"{{{{_place}}}}"}}}""");
        if (request.Path == Account + "/token") return response.WriteAsync("""{"status":{"token":"of-the-account"}}""");
        response.StatusCode = _answers.TryDequeue(out var status) ? status : StatusCodes.Status200OK;
        if (response.StatusCode != StatusCodes.Status200OK) return response.WriteAsync("no such luck\n");
        response.Headers["Trestle-Log-Offset"] = "5";
        return response.Body.WriteAsync(Encoding.UTF8.GetBytes("hello\n")).AsTask();
    }
}
