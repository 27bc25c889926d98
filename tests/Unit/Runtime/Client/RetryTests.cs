using System.Net;
using k8s.Models;

namespace Trestle.Runtime.Tests.Client;

public sealed class RetryTests
{
    private static readonly ObjectKey Key = new("team", "a");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task A_server_that_is_too_busy_is_asked_again_after_the_time_it_says(int status)
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context =>
        {
            if (server.Requests.Count > 1) return context.JsonAsync(201, """{"metadata":{"name":"a"}}""");
            context.Response.Headers.RetryAfter = "3";
            return context.JsonAsync(status, """{"reason":"TooManyRequests","message":"slow down"}""");
        };
        var creating = server.Api.CreateAsync(APod(), Ct);
        await server.Time.SettledAsync(() => server.Requests.Count == 1);
        (await server.Time.UntilAsync(() => creating.IsCompleted)).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(3));
        (await creating).Metadata.Name.ShouldBe("a");
        server.Requests.Select(one => one.Body).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_stays_too_busy_is_told_of_with_its_wait()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context =>
        {
            context.Response.Headers.RetryAfter = "1";
            return context.JsonAsync(429, """{"reason":"TooManyRequests","message":"slow down"}""");
        };
        var creating = server.Api.CreateAsync(APod(), Ct);
        await server.Time.UntilAsync(() => creating.IsCompleted);
        var error = await Should.ThrowAsync<KubeApiException>(creating);
        (error.StatusCode, error.RetryAfter, error.Message).ShouldBe((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(1), "slow down"));
        server.Requests.Count.ShouldBe(5);
    }

    [Theory]
    [InlineData(502)]
    [InlineData(504)]
    [InlineData(0)] // the connection breaks
    public async Task What_may_have_been_done_is_repeated_only_when_that_does_no_harm(int status)
    {
        await using var server = await ScriptedServer.StartAsync();
        var left = 1;
        server.Answer = context =>
        {
            if (Interlocked.Decrement(ref left) < 0) return context.JsonAsync(200, """{"metadata":{"name":"a"}}""");
            if (status > 0) return context.JsonAsync(status, "");
            context.Abort();
            return Task.CompletedTask;
        };
        var finding = server.Api.FindAsync<V1Pod>(Key, Ct);
        await server.Time.UntilAsync(() => finding.IsCompleted);
        (await finding)!.Metadata.Name.ShouldBe("a");
        server.Requests.Count.ShouldBe(2);

        left = 1;
        var creating = server.Api.CreateAsync(APod(), Ct);
        await server.Time.UntilAsync(() => creating.IsCompleted);
        var error = await Should.ThrowAsync<Exception>(creating);
        (error is KubeApiException or HttpRequestException).ShouldBeTrue();
        server.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_conflict_is_for_the_caller_to_solve()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context => context.JsonAsync(409, """{"reason":"Conflict","message":"modified"}""");
        (await Should.ThrowAsync<KubeApiException>(server.Api.ReplaceAsync(APod(), Ct))).IsConflict.ShouldBeTrue();
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_a_request_error()
    {
        var server = await ScriptedServer.StartAsync();
        await server.StopAsync();
        var finding = server.Api.FindAsync<V1Pod>(Key, Ct);
        await server.Time.UntilAsync(() => finding.IsCompleted);
        await Should.ThrowAsync<HttpRequestException>(finding);
        await server.DisposeAsync();
    }

    private static V1Pod APod() => new() { Metadata = new V1ObjectMeta { Name = "a", NamespaceProperty = "team" } };
}
