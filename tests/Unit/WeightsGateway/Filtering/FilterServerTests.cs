using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Trestle.Testing;
using Trestle.Testing.Engine;
using Trestle.WeightsGateway.Filtering;

namespace Trestle.WeightsGateway.Tests.Filtering;

public sealed class FilterServerTests : IAsyncLifetime
{
    private EngineFarm _farm = null!;
    private FilterServer _filter = null!;

    private StandInEngine Engine => _farm.Engines[0];

    public async ValueTask InitializeAsync()
    {
        _farm = await EngineFarm.StartAsync(1);
        _filter = new FilterServer(new FilterOptions { Engine = _farm.Addresses[0], Public = "http://127.0.0.1:0", Control = "http://127.0.0.1:0" }, "secret");
        await _filter.StartAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _filter.DisposeAsync();
        await _farm.DisposeAsync();
    }

    [Theory]
    [InlineData("/pause")]
    [InlineData("//pause")]
    [InlineData("/v1/../pause")]
    [InlineData("/v1/%2e%2e/pause")]
    [InlineData("/v1/..%2Fpause")]
    [InlineData("/%70ause")]
    [InlineData("/PAUSE")]
    [InlineData("http://127.0.0.1/pause")]
    [InlineData("http://127.0.0.1/v1/../pause")]
    [InlineData("/health/../pause")]
    public async Task No_trick_with_the_path_reaches_a_control_route_from_outside(string target)
    {
        var status = await RawAsync(_filter.PublicAt, $"POST {target} HTTP/1.1\r\nHost: engine\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        status.ShouldBeOneOf(400, 404);
        Engine.IsPaused.ShouldBeFalse();
        Engine.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_second_request_in_the_body_of_the_first_is_body()
    {
        const string Smuggled = "POST /pause HTTP/1.1\r\nHost: engine\r\nContent-Length: 0\r\n\r\n";
        await RawAsync(_filter.PublicAt, $"POST /v1/completions HTTP/1.1\r\nHost: engine\r\nContent-Length: {Smuggled.Length}\r\nConnection: close\r\n\r\n{Smuggled}");
        Engine.IsPaused.ShouldBeFalse();
    }

    [Fact]
    public async Task A_gateway_that_was_taken_over_changes_nothing_any_more()
    {
        (await AskAsync(HttpMethod.Post, "/pause", term: 2)).ShouldBe(HttpStatusCode.OK);
        (await AskAsync(HttpMethod.Post, "/resume", term: 1)).ShouldBe(HttpStatusCode.Conflict);
        (await AskAsync(HttpMethod.Post, "/resume", term: null)).ShouldBe(HttpStatusCode.Conflict);
        (await AskAsync(HttpMethod.Get, "/is_paused", term: 1)).ShouldBe(HttpStatusCode.OK);
        Engine.IsPaused.ShouldBeTrue();
        (await AskAsync(HttpMethod.Post, "/resume", term: 2)).ShouldBe(HttpStatusCode.OK);
        Engine.IsPaused.ShouldBeFalse();
    }

    private async Task<HttpStatusCode> AskAsync(HttpMethod method, string route, int? term)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(method, new Uri(new Uri(_filter.ControlAt), route)) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "secret") } };
        if (term is not null) request.Headers.Add(TermGuard.Header, $"{term}");
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }

    [Fact]
    public async Task Control_routes_need_the_token()
    {
        using var http = new HttpClient { BaseAddress = new Uri(_filter.ControlAt) };
        (await http.PostAsync(new Uri("pause?mode=keep", UriKind.Relative), null)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secrets");
        (await http.PostAsync(new Uri("pause?mode=keep", UriKind.Relative), null)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        Engine.Calls.ShouldBeEmpty();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret");
        (await http.PostAsync(new Uri("pause?mode=keep", UriKind.Relative), null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        Engine.IsPaused.ShouldBeTrue();
        (await http.PostAsync(new Uri("v1/completions", UriKind.Relative), null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_stream_comes_token_by_token()
    {
        using var http = new HttpClient { BaseAddress = new Uri(_filter.PublicAt) };
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/completions") { Content = new StringContent("""{"stream":true,"max_tokens":100000}""", Encoding.UTF8, "application/json") };
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        (await lines.ReadLineAsync())!.ShouldContain("default");
        Engine.Running.ShouldBe(1);
    }

    [Fact]
    public async Task It_ends_after_the_answers_that_have_begun()
    {
        using var http = new HttpClient { BaseAddress = new Uri(_filter.PublicAt) };
        var answer = http.PostAsync(new Uri("v1/completions", UriKind.Relative), new StringContent("""{"max_tokens":60}""", Encoding.UTF8, "application/json"));
        await Condition.UntilAsync("it runs", () => Engine.Running == 1);
        await _filter.DrainAsync(TimeSpan.FromMinutes(1));
        Engine.Running.ShouldBe(0);
        await _filter.DisposeAsync();
        (await answer).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task<int> RawAsync(string server, string request)
    {
        var at = new Uri(server);
        using var client = new TcpClient();
        await client.ConnectAsync(at.Host, at.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(client.GetStream());
        return int.Parse((await reader.ReadToEndAsync()).Split(' ')[1]);
    }
}
