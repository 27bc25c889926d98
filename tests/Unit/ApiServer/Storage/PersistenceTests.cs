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
        await using (var server = await StartAsync(new ApiServerOptions { StateDirectory = _state, JournalFiles = disk.Open }))
        {
            var before = await server.Client.JsonAsync("POST", ConfigMaps, ConfigMap("a"));
            disk.IsFull = true;
            foreach (var (method, url, body) in new (string, string, JsonNode?)[]
            {
                ("POST", ConfigMaps, ConfigMap("b")),
                ("PATCH", ConfigMaps + "/a", new JsonObject { ["data"] = new JsonObject { ["k"] = "w" } }),
                ("DELETE", ConfigMaps + "/a", null),
            })
            {
                var (status, answer) = await server.Client.TryAsync(method, url, body, method == "PATCH" ? "application/merge-patch+json" : "application/json");
                status.ShouldBe(507, method);
                ((string?)answer["message"]).ShouldBe("the state could not be written to disk and nothing was changed; free some space and try again");
            }

            (await server.Client.TryAsync("GET", ConfigMaps + "/b")).Status.ShouldBe(404);
            (await server.Client.JsonAsync("GET", ConfigMaps + "/a")).ToJsonString().ShouldBe(before.ToJsonString(), "reads go on, and show what was acknowledged");
            disk.IsFull = false;
            var since = (string)before["metadata"]!["resourceVersion"]!;
            await server.Client.JsonAsync("POST", ConfigMaps, ConfigMap("c"));
            await foreach (var line in server.Client.WatchAsync($"{ConfigMaps}?watch=1&resourceVersion={since}"))
            {
                ((string?)line["object"]!["metadata"]!["name"]).ShouldBe("c", "a watch shows nothing of what was refused");
                break;
            }
        }

        await using var again = await StartAsync(new ApiServerOptions { StateDirectory = _state });
        (await again.Client.JsonAsync("GET", ConfigMaps + "/a"))["data"]!["k"]!.GetValue<string>().ShouldBe("v");
        (await again.Client.TryAsync("GET", ConfigMaps + "/b")).Status.ShouldBe(404);
        (await again.Client.TryAsync("GET", ConfigMaps + "/c")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task What_is_on_disk_at_any_moment_holds_every_change_acknowledged_before_it()
    {
        // A copy of the file while it is written is what kill -9 would have left.
        await using var server = await StartAsync(new ApiServerOptions { StateDirectory = _state });
        var acknowledged = 0;
        var writing = Task.Run(async () =>
        {
            for (; acknowledged < 300; acknowledged++) await server.Client.JsonAsync("POST", ConfigMaps, ConfigMap("c" + acknowledged));
        }, TestContext.Current.CancellationToken);
        while (!writing.IsCompleted)
        {
            var known = Volatile.Read(ref acknowledged);
            var copy = Directory.CreateDirectory(Path.Combine(_state, "copy", Guid.NewGuid().ToString("N")));
            File.Copy(Path.Combine(_state, "journal", "000001.journal"), Path.Combine(copy.FullName, "000001.journal"));
            await using var store = new ObjectStore(Journal.Open(copy.FullName), TimeProvider.System);
            var found = store.List("/configmaps").Items;
            for (var i = 0; i < known; i++) found.ShouldContainKey("default/c" + i);
        }

        await writing;
    }

    [Fact]
    public async Task A_journal_that_has_grown_is_compacted_and_a_restart_keeps_what_lives()
    {
        var directory = Path.Combine(_state, "journal");
        long version;
        await using (var store = new ObjectStore(Journal.Open(directory), TimeProvider.System))
        {
            await store.CreateAsync("/configmaps", ConfigMap("small"));
            var gone = await store.CreateAsync("/configmaps", ConfigMap("gone"));
            var large = ConfigMap("large");
            large["data"]!["k"] = new string('x', 1 << 20);
            var stored = await store.CreateAsync("/configmaps", large);
            await store.DeleteAsync("/configmaps", gone!, gone!.Parse());
            for (var i = 0; i < 40; i++) stored = await store.ReplaceAsync("/configmaps", stored!, stored!.Parse());
            version = stored!.ResourceVersion;
        }

        new FileInfo(Directory.GetFiles(directory, "*.journal").ShouldHaveSingleItem()).Length.ShouldBeLessThan(16 << 20);
        await using var again = new ObjectStore(Journal.Open(directory), TimeProvider.System);
        var (items, at) = again.List("/configmaps");
        items.Keys.ShouldBe(["large", "small"]);
        at.ShouldBe(version);
    }

    private static long Version(JsonObject content) => long.Parse((string)content["metadata"]!["resourceVersion"]!);
}
