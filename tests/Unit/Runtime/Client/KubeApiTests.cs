using System.Net;
using System.Text.Json.Nodes;
using k8s.Models;

namespace Trestle.Runtime.Tests.Client;

public sealed class KubeApiTests
{
    private static readonly ObjectKey Key = new("team", "a");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_list_is_all_its_pages_with_the_version_to_watch_from()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context => context.JsonAsync(200, context.Request.Query["continue"].ToString() switch
        {
            "" => """{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"a/b=="},"items":[{"metadata":{"name":"p1"}},{"metadata":{"name":"p2"}}]}""",
            "a/b==" => """{"items":[{"metadata":{"name":"p3"}}],"metadata":{"resourceVersion":"7","continue":"c"}}""",
            _ => """{"metadata":{"resourceVersion":"7"},"items":null}""",
        });
        var list = await server.Api.ListAsync<V1Pod>(new Selection("team", "a=b,c in (d,e)", "spec.nodeName=n1"), Ct);
        list.ResourceVersion.ShouldBe("7");
        list.Items.Select(pod => pod.Metadata.Name).ShouldBe(["p1", "p2", "p3"]);
        server.Requests.Count.ShouldBe(3);
        server.Requests.ShouldAllBe(one => one.Path == "/api/v1/namespaces/team/pods" && one.Query["limit"] == "500"
            && one.Query["labelSelector"] == "a=b,c in (d,e)" && one.Query["fieldSelector"] == "spec.nodeName=n1" && one.Authorization == "Bearer sesame");
    }

    [Fact]
    public async Task A_server_below_a_path_is_asked_below_it()
    {
        await using var server = await ScriptedServer.StartAsync("/k8s/clusters/c1");
        (await server.Api.FindAsync<V1Job>(Key, Ct)).ShouldBeNull();
        server.Requests.Single().Path.ShouldBe("/k8s/clusters/c1/apis/batch/v1/namespaces/team/jobs/a");
    }

    [Fact]
    public async Task What_a_server_has_is_told_and_of_a_version_that_it_has_not_nothing()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context => context.Request.Path == "/apis/kueue.x-k8s.io/v1beta2"
            ? context.JsonAsync(200, """{"kind":"APIResourceList","resources":[{"name":"workloads"},{"name":"workloads/status"},{"name":"localqueues"}]}""")
            : context.JsonAsync(404, """{"reason":"NotFound","message":"the server could not find the requested resource"}""");
        (await server.Api.ResourcesAsync("kueue.x-k8s.io", "v1beta2", Ct)).ShouldBe(["workloads", "workloads/status", "localqueues"], ignoreOrder: true);
        (await server.Api.ResourcesAsync("kueue.x-k8s.io", "v1beta9", Ct)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(409, "AlreadyExists", nameof(KubeApiException.IsAlreadyExists))]
    [InlineData(409, "Conflict", nameof(KubeApiException.IsConflict))]
    [InlineData(404, "NotFound", nameof(KubeApiException.IsNotFound))]
    [InlineData(403, "Forbidden", nameof(KubeApiException.IsForbidden))]
    [InlineData(422, "Invalid", nameof(KubeApiException.IsInvalid))]
    [InlineData(410, "Expired", nameof(KubeApiException.IsGone))]
    public async Task An_error_status_is_a_typed_exception_of_one_kind(int status, string reason, string kind)
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context => context.JsonAsync(status, $$"""{"kind":"Status","status":"Failure","message":"the server says why","reason":"{{reason}}","code":{{status}}}""");
        var error = await Should.ThrowAsync<KubeApiException>(server.Api.ReplaceAsync(APod(), Ct));
        (error.StatusCode, error.Reason, error.Message).ShouldBe(((HttpStatusCode)status, reason, "the server says why"));
        typeof(KubeApiException).GetProperties().Where(one => one.PropertyType == typeof(bool) && (bool)one.GetValue(error)!).Select(one => one.Name).ShouldBe([kind]);
    }

    [Theory]
    [InlineData("<html>Bad gateway</html>", "<html>Bad gateway</html>")]
    [InlineData("", "the API server answered 400")]
    [InlineData("[1]", "[1]")]
    public async Task An_error_that_is_no_status_tells_what_was_answered(string body, string message)
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context => context.JsonAsync(400, body);
        (await Should.ThrowAsync<KubeApiException>(server.Api.CreateAsync(APod(), Ct))).Message.ShouldBe(message);
    }

    [Theory]
    [InlineData(PatchKind.Apply, "application/apply-patch+yaml", "true")]
    [InlineData(PatchKind.Merge, "application/merge-patch+json", "")]
    [InlineData(PatchKind.Json, "application/json-patch+json", "")]
    public async Task A_patch_says_what_kind_it_is_and_whose(PatchKind kind, string type, string force)
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context => context.JsonAsync(200, """{"metadata":{"name":"a"}}""");
        await server.Api.PatchAsync<V1Pod>(Key, new Patch(kind, new JsonObject()) { Subresource = "status", FieldManager = "trestle operator" }, Ct);
        var seen = server.Requests.Single();
        (seen.Method, seen.Path, seen.Type, seen.Body).ShouldBe(("PATCH", "/api/v1/namespaces/team/pods/a/status", type, "{}"));
        (seen.Query["fieldManager"].ToString(), seen.Query["force"].ToString()).ShouldBe(("trestle operator", force));
    }

    [Fact]
    public async Task An_apply_without_a_field_manager_is_refused_before_it_is_sent()
    {
        await using var server = await ScriptedServer.StartAsync();
        await Should.ThrowAsync<ArgumentException>(() => server.Api.PatchAsync<V1Pod>(Key, new Patch(PatchKind.Apply, new JsonObject()), Ct));
        server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_written_names_its_api_version_and_kind()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Answer = context => context.JsonAsync(201, """{"metadata":{"name":"a"}}""");
        await server.Api.CreateAsync(new V1Job { Metadata = new V1ObjectMeta { Name = "a", NamespaceProperty = "team" } }, Ct);
        await server.Api.ReplaceStatusAsync(new V1Job { Metadata = new V1ObjectMeta { Name = "a", NamespaceProperty = "team" } }, Ct);
        server.Requests.Select(one => (one.Method, one.Path)).ShouldBe([("POST", "/apis/batch/v1/namespaces/team/jobs"), ("PUT", "/apis/batch/v1/namespaces/team/jobs/a/status")]);
        foreach (var seen in server.Requests)
        {
            var body = JsonNode.Parse(seen.Body)!;
            (body["apiVersion"]!.ToString(), body["kind"]!.ToString(), seen.Type).ShouldBe(("batch/v1", "Job", "application/json"));
        }
    }

    [Fact]
    public async Task A_deletion_says_whom_and_how_and_whether_it_was_there()
    {
        await using var server = await ScriptedServer.StartAsync();
        (await server.Api.DeleteAsync<V1Node>(new ObjectKey("", "n1"), Deletion.Default, Ct)).ShouldBeFalse();
        server.Answer = context => context.JsonAsync(200, "{}");
        (await server.Api.DeleteAsync<V1Pod>(Key, new Deletion { Uid = "u1", GraceSeconds = 0, Propagation = "Foreground" }, Ct)).ShouldBeTrue();
        server.Requests.Select(one => one.Path).ShouldBe(["/api/v1/nodes/n1", "/api/v1/namespaces/team/pods/a"]);
        JsonNode.DeepEquals(
            JsonNode.Parse(server.Requests.Last().Body),
            JsonNode.Parse("""{"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Foreground","gracePeriodSeconds":0,"preconditions":{"uid":"u1"}}""")).ShouldBeTrue();
    }

    private static V1Pod APod() => new() { Metadata = new V1ObjectMeta { Name = "a", NamespaceProperty = "team" } };
}
