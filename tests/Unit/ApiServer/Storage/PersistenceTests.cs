using System.Text.Json.Nodes;
using static Trestle.Local.ApiServer.Tests.ServerFixture;

namespace Trestle.Local.ApiServer.Tests;

public sealed class PersistenceTests : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("state").FullName;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Fact]
    public async Task A_restart_keeps_objects_kinds_versions_and_credentials()
    {
        JsonObject before;
        string kubeconfigToken;
        await using (var first = await StartAsync(new ApiServerOptions { StateDirectory = _state }))
        {
            before = await first.Client.JsonAsync("POST", Jobs, Job("kept"));
            await first.Client.JsonAsync("POST", Jobs, Job("gone"));
            await first.Client.JsonAsync("DELETE", Jobs + "/gone");
            kubeconfigToken = first.Server.AdminToken;
        }

        await using var second = await StartAsync(new ApiServerOptions { StateDirectory = _state });
        second.Server.AdminToken.ShouldBe(kubeconfigToken);
        (await second.Client.JsonAsync("GET", Jobs + "/kept")).ToJsonString().ShouldBe(before.ToJsonString());
        (await second.Client.TryAsync("GET", Jobs + "/gone")).Status.ShouldBe(404);
        var next = await second.Client.JsonAsync("POST", Jobs, Job("later"));
        Version(next).ShouldBeGreaterThan(Version(before) + 2, "versions go on behind those of deletions");
    }

    [Fact]
    public async Task The_kubeconfig_is_readable_by_its_owner_only()
    {
        await using var server = await StartAsync(new ApiServerOptions { StateDirectory = _state });
        File.GetUnixFileMode(server.Server.KubeconfigPath!).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task A_full_disk_refuses_changes_with_a_sentence_and_the_server_goes_on_when_space_returns()
    {
        var disk = new FailingDisk();
        await using var server = await StartAsync(new ApiServerOptions { StateDirectory = _state, JournalFiles = disk.Open });
        await server.Client.JsonAsync("POST", Jobs, Job("a"));
        disk.IsFull = true;
        var (status, body) = await server.Client.TryAsync("POST", Jobs, Job("b"));
        status.ShouldBe(507);
        ((string?)body["message"]).ShouldNotBeNull().ShouldContain("free some space");
        (await server.Client.TryAsync("GET", Jobs + "/b")).Status.ShouldBe(404);
        (await server.Client.TryAsync("GET", Jobs + "/a")).Status.ShouldBe(200);
        disk.IsFull = false;
        await server.Client.JsonAsync("POST", Jobs, Job("b"));
    }

    private static long Version(JsonObject content) => long.Parse((string)content["metadata"]!["resourceVersion"]!);
}
