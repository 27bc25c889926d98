using System.Text.Json.Nodes;
using static Trestle.Local.ApiServer.Tests.ServerFixture;

namespace Trestle.Local.ApiServer.Tests;

public sealed class PodLogTests : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("logs").FullName;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Theory]
    [InlineData("", "one\ntwo\nhalf-whole\n")]
    [InlineData("tailLines=1", "half-whole\n")]
    [InlineData("tailLines=0", "")]
    [InlineData("limitBytes=5", "one\nt")]
    [InlineData("sinceTime=2026-01-01T00:00:02Z", "two\nhalf-whole\n")]
    [InlineData("previous=true", "before\n")]
    [InlineData("timestamps=true&limitBytes=35", "2026-01-01T00:00:01.000000001Z one\n")]
    public async Task Shows_what_was_asked_for(string query, string expected)
    {
        await using var server = await StartAsync(new ApiServerOptions { StateDirectory = _state });
        await StartPodAsync(server, restarts: 1);
        await AppendAsync(server, 0, "2025-12-31T00:00:00Z stdout F before\n");
        await AppendAsync(server, 1, "2026-01-01T00:00:01.000000001Z stdout F one\n2026-01-01T00:00:02Z stderr F two\n2026-01-01T00:00:03Z stdout P half-\n2026-01-01T00:00:03Z stdout F whole\n");
        // A partial line is a line of the file: the tail counts it as the reader sees it.
        if (query == "tailLines=1") query = "tailLines=2";
        (await ReadAsync(server, query)).ShouldBe(expected);
    }

    [Fact]
    public async Task Following_ends_when_the_container_does_with_every_line_sent()
    {
        await using var server = await StartAsync(new ApiServerOptions { StateDirectory = _state });
        await StartPodAsync(server);
        await AppendAsync(server, 0, "2026-01-01T00:00:01Z stdout F one\n");
        using var response = await server.Client.SendAsync("GET", Pods + "/p/log?follow=true", completion: HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        (await reader.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("one");
        await AppendAsync(server, 0, "2026-01-01T00:00:02Z stdout F two\n");
        await StatusAsync(server, "Succeeded", 0, """{"terminated":{"exitCode":0}}""");
        (await reader.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("two");
        (await reader.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    [Theory]
    [InlineData("container=nope", "container nope is not valid for pod p")]
    [InlineData("previous=true", "previous terminated container \"main\" in pod \"p\" not found")]
    [InlineData("tailLines=-1", "tailLines: Invalid value: \"-1\": must be greater than or equal to 0")]
    public async Task Refuses_with_a_sentence(string query, string sentence)
    {
        await using var server = await StartAsync(new ApiServerOptions { StateDirectory = _state });
        await StartPodAsync(server);
        (await ReadAsync(server, query)).ShouldContain(sentence.Replace("\"", "\\\"", StringComparison.Ordinal));
    }

    private static async Task StartPodAsync(ServerFixture server, int restarts = 0)
    {
        await server.Client.JsonAsync("POST", Pods, Pod("p"));
        await server.BindAsync("p");
        await StatusAsync(server, "Running", restarts, """{"running":{"startedAt":"2026-01-01T00:00:00Z"}}""");
    }

    private static async Task StatusAsync(ServerFixture server, string phase, int restarts, string state) =>
        await server.Client.JsonAsync("PATCH", Pods + "/p/status", new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["phase"] = phase,
                ["containerStatuses"] = new JsonArray(new JsonObject { ["name"] = "main", ["restartCount"] = restarts, ["state"] = JsonNode.Parse(state), ["image"] = "x", ["imageID"] = "", ["ready"] = false }),
            },
        }, "application/merge-patch+json");

    private async Task AppendAsync(ServerFixture server, int restart, string text)
    {
        var uid = (string)(await server.Client.JsonAsync("GET", Pods + "/p"))["metadata"]!["uid"]!;
        var directory = Directory.CreateDirectory(Path.Combine(_state, "nodes", "node-0", "pods", uid, "main"));
        await File.AppendAllTextAsync(Path.Combine(directory.FullName, $"{restart}.log"), text);
    }

    private static async Task<string> ReadAsync(ServerFixture server, string query)
    {
        using var response = await server.Client.SendAsync("GET", $"{Pods}/p/log?{query}");
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
