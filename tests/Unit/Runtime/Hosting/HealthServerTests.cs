using System.Net;

namespace Trestle.Runtime.Tests.Hosting;

public sealed class HealthServerTests
{
    private readonly SetHealth _health = new();

    [Fact]
    public async Task It_tells_of_life_and_of_readiness()
    {
        await using var server = new HealthServer(_health);
        using var http = await ListenAsync(server);
        (await GetAsync(http, "/healthz"), await GetAsync(http, "/readyz")).ShouldBe(((HttpStatusCode.OK, "not yet\n"), (HttpStatusCode.ServiceUnavailable, "not yet\n")));
        (_health.IsReady, _health.Text) = (true, "working");
        (await GetAsync(http, "/readyz")).ShouldBe((HttpStatusCode.OK, "working\n"));
        (await GetAsync(http, "/metrics")).Status.ShouldBe(HttpStatusCode.NotFound);
        using var written = await http.PostAsync(new Uri("/healthz", UriKind.Relative), null, TestContext.Current.CancellationToken);
        written.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Fact]
    public async Task It_tells_what_is_measured()
    {
        await using var server = new HealthServer(_health, (page, ct) => page.WriteAsync("jobs 7\n"u8.ToArray(), ct).AsTask());
        using var http = await ListenAsync(server);
        (await GetAsync(http, "/metrics")).ShouldBe((HttpStatusCode.OK, "jobs 7\n"));
    }

    private static async Task<HttpClient> ListenAsync(HealthServer server) =>
        new() { BaseAddress = new Uri(await server.StartAsync("http://127.0.0.1:0", TestContext.Current.CancellationToken)) };

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(HttpClient http, string path)
    {
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private sealed class SetHealth : IHealth
    {
        public bool IsReady { get; set; }

        public string Text { get; set; } = "not yet";
    }
}
