using System.Text.Json.Nodes;
using static Trestle.Local.ApiServer.Tests.ServerFixture;

namespace Trestle.Local.ApiServer.Tests;

public sealed class PodLifeTests
{
    [Fact]
    public async Task A_gated_pod_is_not_bound_and_a_bound_one_not_again()
    {
        await using var server = await StartAsync();
        var pod = Pod("p");
        pod["spec"]!["schedulingGates"] = new JsonArray(new JsonObject { ["name"] = "trestle.dev/admission" });
        await server.Client.JsonAsync("POST", Pods, pod);
        var binding = JsonNode.Parse("""{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":"n"}}""")!;
        var (status, body) = await server.Client.TryAsync("POST", Pods + "/p/binding", binding);
        status.ShouldBe(409);
        ((string?)body["message"]).ShouldNotBeNull().ShouldContain("schedulingGates");
        await server.Client.JsonAsync("PATCH", Pods + "/p", JsonNode.Parse("""{"spec":{"schedulingGates":null}}"""), "application/strategic-merge-patch+json");
        await server.Client.JsonAsync("POST", Pods + "/p/binding", binding);
        (await server.Client.TryAsync("POST", Pods + "/p/binding", binding)).Status.ShouldBe(409);
        var bound = await server.Client.JsonAsync("GET", Pods + "/p");
        ((string?)bound["spec"]!["nodeName"]).ShouldBe("n");
    }

    [Fact]
    public async Task An_unbound_pod_vanishes_at_once_and_a_bound_one_waits_for_its_node()
    {
        await using var server = await StartAsync();
        await server.Client.JsonAsync("POST", Pods, Pod("free"));
        await server.Client.JsonAsync("DELETE", Pods + "/free");
        (await server.Client.TryAsync("GET", Pods + "/free")).Status.ShouldBe(404);
        await server.Client.JsonAsync("POST", Pods, Pod("bound"));
        await server.BindAsync("bound");
        var first = await server.Client.JsonAsync("DELETE", Pods + "/bound");
        first["metadata"]!["deletionGracePeriodSeconds"]!.GetValue<int>().ShouldBe(30);
        var shorter = await server.Client.JsonAsync("DELETE", Pods + "/bound?gracePeriodSeconds=5");
        shorter["metadata"]!["deletionGracePeriodSeconds"]!.GetValue<int>().ShouldBe(5);
        var longer = await server.Client.JsonAsync("DELETE", Pods + "/bound?gracePeriodSeconds=60");
        longer["metadata"]!["deletionGracePeriodSeconds"]!.GetValue<int>().ShouldBe(5);
        await server.Client.JsonAsync("DELETE", Pods + "/bound?gracePeriodSeconds=0");
        (await server.Client.TryAsync("GET", Pods + "/bound")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_service_account_token_signs_in_until_its_account_is_gone()
    {
        await using var server = await StartAsync();
        await server.Client.JsonAsync("POST", "/api/v1/namespaces/default/serviceaccounts", JsonNode.Parse("""{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"robot"}}"""));
        var issued = await server.Client.JsonAsync("POST", "/api/v1/namespaces/default/serviceaccounts/robot/token", JsonNode.Parse("""{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":900}}"""));
        using var robot = new ApiClient(server.Server, (string)issued["status"]!["token"]!);
        var self = await robot.JsonAsync("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", JsonNode.Parse("""{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"""));
        ((string?)self["status"]!["userInfo"]!["username"]).ShouldBe("system:serviceaccount:default:robot");
        (await robot.TryAsync("GET", Pods)).Status.ShouldBe(200);
        await server.Client.JsonAsync("DELETE", "/api/v1/namespaces/default/serviceaccounts/robot");
        (await robot.TryAsync("GET", Pods)).Status.ShouldBe(401);
    }

    [Fact]
    public async Task A_token_for_another_audience_is_real_to_those_who_ask_for_it_and_signs_in_nowhere()
    {
        await using var server = await StartAsync();
        await server.Client.JsonAsync("POST", "/api/v1/namespaces/default/serviceaccounts", JsonNode.Parse("""{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"robot"}}"""));
        async Task<string> Issue(string spec) => (string)(await server.Client.JsonAsync("POST", "/api/v1/namespaces/default/serviceaccounts/robot/token", JsonNode.Parse($$"""{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{{spec}}}""")))["status"]!["token"]!;
        async Task<string> Review(string token, string audiences) => (await server.Client.JsonAsync("POST", "/apis/authentication.k8s.io/v1/tokenreviews", JsonNode.Parse($$$"""{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"{{{token}}}","audiences":{{{audiences}}}}}""")))["status"]!.ToJsonString();

        var logs = await Issue("""{"audiences":["logs","other"]}""");
        (await Review(logs, """["logs","more"]""")).ShouldBe("""{"authenticated":true,"user":{"username":"system:serviceaccount:default:robot","uid":""" + $"\"{await UidAsync()}\"" + ""","groups":["system:serviceaccounts","system:serviceaccounts:default","system:authenticated"]},"audiences":["logs"]}""");
        foreach (var audiences in new[] { """["more"]""", "[]" }) (await Review(logs, audiences)).ShouldContain("\"authenticated\":false");
        (await Review(await Issue("{}"), """["logs"]""")).ShouldContain("\"authenticated\":false");
        using var robot = new ApiClient(server.Server, logs);
        (await robot.TryAsync("GET", Pods)).Status.ShouldBe(401);

        async Task<string> UidAsync() => (string)(await server.Client.JsonAsync("GET", "/api/v1/namespaces/default/serviceaccounts/robot"))["metadata"]!["uid"]!;
    }
}
