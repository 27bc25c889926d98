using System.Net;
using Trestle.Bridge.Hosting;

namespace Trestle.Bridge.Tests.Hosting;

public sealed class HealthServerTests
{
    [Fact]
    public async Task It_tells_of_life_of_readiness_and_of_what_is_measured()
    {
        var health = new BridgeHealth();
        await using var server = new HealthServer(health);
        using var http = new HttpClient { BaseAddress = new Uri(await server.StartAsync("http://127.0.0.1:0", TestContext.Current.CancellationToken)) };
        (await StatusAsync(http, "/healthz"), await StatusAsync(http, "/readyz")).ShouldBe((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable));
        health.Works();
        (await StatusAsync(http, "/readyz")).ShouldBe(HttpStatusCode.OK);
        BridgeMeter.Looked(worked: true);
        (await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken)).ShouldContain("trestle_bridge_looks_total{result=\"answered\"}");
        (await StatusAsync(http, "/else")).ShouldBe(HttpStatusCode.NotFound);
        health.Stops();
        (await StatusAsync(http, "/readyz")).ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, string path)
    {
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }
}
