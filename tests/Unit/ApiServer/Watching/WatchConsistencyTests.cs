using System.Text.Json.Nodes;
using CsCheck;
using static Trestle.Local.ApiServer.Tests.ServerFixture;

namespace Trestle.Local.ApiServer.Tests;

/// <summary>A client that lists and then watches must come to what a list shows, whatever happened in between.</summary>
public sealed class WatchConsistencyTests
{
    private static readonly string[] Names = ["a", "b", "c", "d"];

    [Fact]
    public async Task A_store_replayed_from_its_changes_is_the_store()
    {
        await Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2]).List[1, 60].SampleAsync(async steps =>
        {
            await using var store = new ObjectStore(null, TimeProvider.System);
            var watcher = new Watcher { Namespace = "ns", WantsBookmarks = false };
            store.TryWatch("/configmaps", watcher, store.List("/configmaps").Version).ShouldBeNull();
            var versions = new List<(long Version, string State)>();
            foreach (var (name, action) in steps)
            {
                await StepAsync(store, Names[name], action);
                var (items, version) = store.List("/configmaps");
                versions.Add((version, Show(items.Values)));
            }

            var replayed = Replay(watcher);
            Show(replayed.Values).ShouldBe(Show(store.List("/configmaps").Items.Values));
            foreach (var (version, state) in versions) Show(store.ListAt("/configmaps", version)!.Values).ShouldBe(state, "a list at an earlier version shows what was there");
        }, iter: 100);
    }

    [Fact]
    public async Task Concurrent_writers_lose_no_update_and_watchers_see_versions_rise()
    {
        await using var server = await StartAsync();
        await server.Client.JsonAsync("POST", ConfigMaps, ConfigMap("shared"));
        var start = (string)(await server.Client.JsonAsync("GET", ConfigMaps + "/shared"))["metadata"]!["resourceVersion"]!;
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => server.Client.JsonAsync(
            "PATCH", ConfigMaps + "/shared", new JsonObject { ["data"] = new JsonObject { ["k" + i] = "v" } }, "application/merge-patch+json")));
        (await server.Client.JsonAsync("GET", ConfigMaps + "/shared"))["data"]!.AsObject().Count.ShouldBe(41);
        var last = 0L;
        var seen = 0;
        await foreach (var line in server.Client.WatchAsync($"{ConfigMaps}?watch=1&resourceVersion={start}&fieldSelector=metadata.name%3Dshared"))
        {
            var version = long.Parse((string)line["object"]!["metadata"]!["resourceVersion"]!);
            version.ShouldBeGreaterThan(last);
            last = version;
            if (++seen == 40) break;
        }
    }

    [Fact]
    public async Task Pages_show_one_moment_although_objects_change_meanwhile()
    {
        await using var server = await StartAsync();
        for (var i = 0; i < 6; i++) await server.Client.JsonAsync("POST", Jobs, Job("j" + i));
        var first = await server.Client.JsonAsync("GET", Jobs + "?limit=2");
        await server.Client.JsonAsync("DELETE", Jobs + "/j3");
        await server.Client.JsonAsync("POST", Jobs, Job("j9"));
        var names = NamesOf(first).ToList();
        var page = first;
        while ((string?)page["metadata"]!["continue"] is { Length: > 0 } token)
        {
            page = await server.Client.JsonAsync("GET", $"{Jobs}?limit=2&continue={token}");
            names.AddRange(NamesOf(page));
        }

        names.ShouldBe(["j0", "j1", "j2", "j3", "j4", "j5"]);
    }

    [Fact]
    public async Task A_watch_that_wants_bookmarks_gets_them_as_time_passes()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(60));
        await using var store = new ObjectStore(null, time);
        var watcher = new Watcher { Namespace = null, WantsBookmarks = true };
        store.ListAndWatch("/pods", watcher);
        time.Advance(TimeSpan.FromSeconds(31));
        watcher.Changes.TryRead(out var mark).ShouldBeTrue();
        mark!.Kind.ShouldBe(ChangeKind.Bookmark);
    }

    [Fact]
    public async Task A_hundred_watchers_of_a_change_share_its_bytes()
    {
        await using var store = new ObjectStore(null, TimeProvider.System);
        var watchers = Enumerable.Range(0, 100).Select(_ => new Watcher { Namespace = "ns", WantsBookmarks = false }).ToArray();
        foreach (var watcher in watchers) store.ListAndWatch("/configmaps", watcher);
        var stored = await store.CreateAsync("/configmaps", Content("a", 0));
        foreach (var watcher in watchers)
        {
            watcher.Changes.TryRead(out var change).ShouldBeTrue();
            change!.Current!.Json.ShouldBeSameAs(stored!.Json);
        }

        var left = await store.ReplaceAsync("/configmaps", stored!, stored!.Parse());
        watchers[0].Changes.TryRead(out var first).ShouldBeTrue();
        watchers[99].Changes.TryRead(out var last).ShouldBeTrue();
        first!.Left.Json.ShouldBeSameAs(last!.Left.Json, "so do those whose selection it left");
        first.Left.ResourceVersion.ShouldBe(left!.ResourceVersion);
    }

    [Fact]
    public async Task A_watcher_that_does_not_read_is_cut_off()
    {
        await using var store = new ObjectStore(null, TimeProvider.System);
        var watcher = new Watcher { Namespace = null, WantsBookmarks = false };
        store.ListAndWatch("/configmaps", watcher);
        var content = Content("a", 0);
        var stored = await store.CreateAsync("/configmaps", content);
        for (var i = 0; i < 20_001; i++) stored = await store.ReplaceAsync("/configmaps", stored!, stored!.Parse());
        var read = 0;
        while (watcher.Changes.TryRead(out _)) read++;
        read.ShouldBe(20_000);
        watcher.Changes.Completion.IsCompleted.ShouldBeTrue();
    }

    private static async Task StepAsync(ObjectStore store, string name, int action)
    {
        var stored = store.Get("/configmaps", "ns/" + name);
        if (stored is null) await store.CreateAsync("/configmaps", Content(name, 0));
        else if (action == 0) await store.DeleteAsync("/configmaps", stored, stored.Parse());
        else await store.ReplaceAsync("/configmaps", stored, stored.Parse());
    }

    private static SortedDictionary<string, StoredObject> Replay(Watcher watcher)
    {
        var items = new SortedDictionary<string, StoredObject>(StringComparer.Ordinal);
        while (watcher.Changes.TryRead(out var change))
        {
            if (change.Kind == ChangeKind.Deleted) items.Remove(change.Current!.Key).ShouldBeTrue();
            else items[change.Current!.Key] = change.Current;
        }

        return items;
    }

    private static JsonObject Content(string name, int value) => new()
    {
        ["kind"] = "ConfigMap",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "ns", ["uid"] = name },
        ["value"] = value,
    };

    private static string Show(IEnumerable<StoredObject> items) => string.Join(' ', items.Select(i => $"{i.Key}@{i.ResourceVersion}"));

    private static IEnumerable<string> NamesOf(JsonObject list) => list["items"]!.AsArray().Select(i => (string)i!["metadata"]!["name"]!);
}
