using System.Text.Json.Nodes;
using static Trestle.Local.ApiServer.Tests.ServerFixture;

namespace Trestle.Local.ApiServer.Tests;

public sealed class GarbageCollectorTests
{
    [Fact]
    public async Task Dependents_follow_their_owner_in_the_background()
    {
        await using var server = await StartAsync();
        var owner = await server.Client.JsonAsync("POST", Jobs, Job("owner"));
        var child = await server.Client.JsonAsync("POST", ConfigMaps, OwnedBy(ConfigMap("child"), owner));
        await server.Client.JsonAsync("POST", ConfigMaps, OwnedBy(ConfigMap("grandchild"), child));
        await server.Client.JsonAsync("POST", ConfigMaps, ConfigMap("stranger"));
        await server.Client.JsonAsync("DELETE", Jobs + "/owner");
        await server.Client.UntilAsync(ConfigMaps + "/grandchild", (status, _) => status == 404);
        (await server.Client.TryAsync("GET", ConfigMaps + "/child")).Status.ShouldBe(404);
        (await server.Client.TryAsync("GET", ConfigMaps + "/stranger")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_dependent_with_another_living_owner_stays()
    {
        await using var server = await StartAsync();
        var first = await server.Client.JsonAsync("POST", Jobs, Job("first"));
        var second = await server.Client.JsonAsync("POST", Jobs, Job("second"));
        var shared = OwnedBy(ConfigMap("shared"), first);
        shared["metadata"]!["ownerReferences"]!.AsArray().Add(OwnedBy(ConfigMap("x"), second)["metadata"]!["ownerReferences"]![0]!.DeepClone());
        await server.Client.JsonAsync("POST", ConfigMaps, shared);
        await server.Client.JsonAsync("POST", ConfigMaps, OwnedBy(ConfigMap("alone"), first));
        await server.Client.JsonAsync("DELETE", Jobs + "/first");
        await server.Client.UntilAsync(ConfigMaps + "/alone", (status, _) => status == 404);
        (await server.Client.TryAsync("GET", ConfigMaps + "/shared")).Status.ShouldBe(200);
        await server.Client.JsonAsync("DELETE", Jobs + "/second");
        await server.Client.UntilAsync(ConfigMaps + "/shared", (status, _) => status == 404);
    }

    [Fact]
    public async Task A_foreground_deletion_waits_for_a_running_dependent()
    {
        await using var server = await StartAsync();
        var owner = await server.Client.JsonAsync("POST", Jobs, Job("owner"));
        await server.Client.JsonAsync("POST", Pods, OwnedBy(Pod("p"), owner));
        await server.BindAsync("p");
        await server.Client.JsonAsync("DELETE", Jobs + "/owner?propagationPolicy=Foreground");
        await server.Client.UntilAsync(Pods + "/p", (_, pod) => pod["metadata"]?["deletionTimestamp"] is not null);
        (await server.Client.TryAsync("GET", Jobs + "/owner")).Status.ShouldBe(200);
        await server.Client.JsonAsync("DELETE", Pods + "/p?gracePeriodSeconds=0");
        await server.Client.UntilAsync(Jobs + "/owner", (status, _) => status == 404);
    }

    [Fact]
    public async Task An_orphaning_deletion_leaves_dependents_without_owner()
    {
        await using var server = await StartAsync();
        var owner = await server.Client.JsonAsync("POST", Jobs, Job("owner"));
        await server.Client.JsonAsync("POST", ConfigMaps, OwnedBy(ConfigMap("child"), owner));
        await server.Client.JsonAsync("DELETE", Jobs + "/owner?propagationPolicy=Orphan");
        await server.Client.UntilAsync(Jobs + "/owner", (status, _) => status == 404);
        var child = await server.Client.JsonAsync("GET", ConfigMaps + "/child");
        child["metadata"]!["ownerReferences"].ShouldBeNull();
    }

    [Fact]
    public async Task An_object_whose_owner_never_was_is_collected()
    {
        await using var server = await StartAsync();
        var ghost = Job("ghost");
        ghost["metadata"]!["uid"] = Guid.NewGuid().ToString();
        await server.Client.JsonAsync("POST", ConfigMaps, OwnedBy(ConfigMap("child"), ghost));
        await server.Client.UntilAsync(ConfigMaps + "/child", (status, _) => status == 404);
    }

    [Fact]
    public async Task Deleting_a_namespace_deletes_what_is_in_it_and_refuses_new_content()
    {
        await using var server = await StartAsync();
        await server.Client.JsonAsync("POST", "/api/v1/namespaces", JsonNode.Parse("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team"}}"""));
        await server.Client.UntilAsync("/api/v1/namespaces/team/serviceaccounts/default", (status, _) => status == 200);
        var held = ConfigMap("held");
        held["metadata"]!["finalizers"] = new JsonArray("trestle.dev/hold");
        await server.Client.JsonAsync("POST", "/api/v1/namespaces/team/configmaps", held);
        await server.Client.JsonAsync("DELETE", "/api/v1/namespaces/team");
        var (status, body) = await server.Client.TryAsync("POST", "/api/v1/namespaces/team/configmaps", ConfigMap("new"));
        status.ShouldBe(403);
        ((string?)body["message"]).ShouldNotBeNull().ShouldContain("because it is being terminated");
        (await server.Client.JsonAsync("GET", "/api/v1/namespaces/team"))["status"]!["phase"]!.GetValue<string>().ShouldBe("Terminating");
        await server.Client.UntilAsync("/api/v1/namespaces/team/configmaps/held", (_, o) => o["metadata"]?["deletionTimestamp"] is not null);
        await server.Client.JsonAsync("PATCH", "/api/v1/namespaces/team/configmaps/held", JsonNode.Parse("""{"metadata":{"finalizers":null}}"""), "application/merge-patch+json");
        await server.Client.UntilAsync("/api/v1/namespaces/team", (s, _) => s == 404);
    }
}
