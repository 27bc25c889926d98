using System.Text.Json.Nodes;
using static Trestle.Local.ApiServer.Tests.ServerFixture;

namespace Trestle.Local.ApiServer.Tests;

/// <summary>A patch without a resourceVersion never loses to another one: the server reads again and lays it over what is there.</summary>
public sealed class ConcurrentPatchTests
{
    private const string Merge = "application/merge-patch+json";
    private const string Apply = "application/apply-patch+yaml";
    private const int Writers = 40;

    [Theory]
    [InlineData(Merge, "{\"data\":{\"k#\":\"v\"}}")]
    [InlineData("application/strategic-merge-patch+json", "{\"data\":{\"k#\":\"v\"}}")]
    [InlineData("application/json-patch+json", "[{\"op\":\"add\",\"path\":\"/data/k#\",\"value\":\"v\"}]")]
    [InlineData(Apply, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"data\":{\"k#\":\"v\"}}")]
    public async Task Every_patch_of_one_object_arrives(string type, string patch)
    {
        await using var server = await StartAsync();
        await server.Client.JsonAsync("POST", ConfigMaps, ConfigMap("shared"));
        await PatchAsync(server, ConfigMaps + "/shared", type, patch);
        (await server.Client.JsonAsync("GET", ConfigMaps + "/shared"))["data"]!.AsObject().Count.ShouldBe(Writers + 1);
    }

    [Fact]
    public async Task Every_patch_of_a_status_arrives_while_others_change_the_object()
    {
        await using var server = await StartAsync();
        await server.Client.JsonAsync("POST", Pods, Pod("p"));
        await Task.WhenAll(
            PatchAsync(server, Pods + "/p/status", "application/strategic-merge-patch+json", "{\"status\":{\"conditions\":[{\"type\":\"c#\",\"status\":\"True\"}]}}"),
            PatchAsync(server, Pods + "/p", Merge, "{\"metadata\":{\"labels\":{\"l#\":\"v\"}}}"));
        var pod = await server.Client.JsonAsync("GET", Pods + "/p");
        pod["status"]!["conditions"]!.AsArray().Count(c => ((string)c!["type"]!).StartsWith('c')).ShouldBe(Writers);
        pod["metadata"]!["labels"]!.AsObject().Count.ShouldBe(Writers);
    }

    [Fact]
    public async Task Appliers_that_race_to_make_an_object_share_it()
    {
        await using var server = await StartAsync();
        await PatchAsync(server, ConfigMaps + "/new", Apply, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"data\":{\"k#\":\"v\"}}");
        (await server.Client.JsonAsync("GET", ConfigMaps + "/new"))["data"]!.AsObject().Count.ShouldBe(Writers);
    }

    [Fact]
    public async Task An_apply_of_an_object_that_is_deleted_meanwhile_makes_it_again()
    {
        await using var server = await StartAsync();
        await Task.WhenAll(
            PatchAsync(server, ConfigMaps + "/flickering", Apply, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"data\":{\"k#\":\"v\"}}"),
            Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => server.Client.TryAsync("DELETE", ConfigMaps + "/flickering"))));
    }

    [Fact]
    public async Task A_patch_that_names_a_version_loses_to_whoever_was_faster()
    {
        await using var server = await StartAsync();
        var made = await server.Client.JsonAsync("POST", ConfigMaps, ConfigMap("shared"));
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = made["metadata"]!["resourceVersion"]!.DeepClone() }, ["data"] = new JsonObject { ["k"] = "w" } };
        await server.Client.JsonAsync("PATCH", ConfigMaps + "/shared", patch, Merge);
        patch["data"]!["k"] = "x";
        var (status, body) = await server.Client.TryAsync("PATCH", ConfigMaps + "/shared", patch, Merge);
        status.ShouldBe(409);
        ((string?)body["message"]).ShouldNotBeNull().ShouldContain("the object has been modified");
    }

    // Every answer must be success; # becomes the writer's number.
    private static Task PatchAsync(ServerFixture server, string url, string type, string patch) =>
        Task.WhenAll(Enumerable.Range(0, Writers).Select(i => server.Client.JsonAsync("PATCH", $"{url}?fieldManager=m{i}", JsonNode.Parse(patch.Replace("#", i.ToString(), StringComparison.Ordinal)), type)));
}
