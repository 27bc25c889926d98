using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using static Trestle.Local.ApiServer.Tests.ServerFixture;

namespace Trestle.Local.ApiServer.Tests;

public sealed class HostileInputTests
{
    [Fact]
    public async Task Bodies_over_the_limit_are_refused_with_a_status()
    {
        await using var server = await StartAsync();
        using var response = await server.Client.SendAsync("POST", ConfigMaps, new string('x', ApiRequest.MaxBody + 1));
        response.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("Request entity too large");
    }

    [Theory]
    [InlineData("ConfigMap", "../../etc/cron.d/x", 1, "a valid config key must consist of")]
    [InlineData("ConfigMap", "..", 1, "must not be '..'")]
    [InlineData("ConfigMap", "..data", 1, "must not start with '..'")]
    [InlineData("Secret", "a/b", 1, "a valid config key must consist of")]
    [InlineData("Secret", "k", (1 << 20) + 1, "data: Too long: may not be more than 1048576 bytes")]
    [InlineData("ConfigMap", "k", (1 << 20) + 1, "[]: Too long: may not be more than 1048576 bytes")]
    public async Task Data_that_no_cluster_takes_is_refused(string kind, string key, int size, string sentence)
    {
        await using var server = await StartAsync();
        var value = kind == "Secret" ? Convert.ToBase64String(new byte[size]) : new string('x', size);
        var content = new JsonObject { ["apiVersion"] = "v1", ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = "d" }, ["data"] = new JsonObject { [key] = value } };
        var (status, body) = await server.Client.TryAsync("POST", $"/api/v1/namespaces/default/{kind.ToLowerInvariant()}s", content);
        status.ShouldBe(422);
        ((string?)body["message"]).ShouldNotBeNull().ShouldContain(sentence);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/yaml")]
    [InlineData("application/vnd.kubernetes.protobuf")]
    public async Task Random_bodies_are_client_errors(string contentType)
    {
        await using var server = await StartAsync();
        await Gen.Byte.Array[0, 200].SampleAsync(async bytes =>
        {
            using var response = await server.Client.SendAsync("POST", ConfigMaps, Encoding.Latin1.GetString(bytes), contentType);
            ((int)response.StatusCode).ShouldBeInRange(400, 499);
        }, iter: 200, threads: 1);
    }

    [Fact]
    public async Task Documents_with_wrong_types_anywhere_are_client_errors_or_accepted()
    {
        await using var server = await StartAsync();
        var values = Gen.OneOf(Gen.Const("null"), Gen.Const("1"), Gen.Const("\"x\""), Gen.Const("[]"), Gen.Const("{}"), Gen.Const("[null]"), Gen.Const("true"), Gen.Const("[{\"name\":1}]"));
        string[] fields = ["metadata", "metadata.labels", "metadata.ownerReferences", "metadata.finalizers", "metadata.name", "metadata.annotations", "spec", "spec.containers", "spec.volumes", "spec.nodeSelector", "spec.tolerations", "spec.schedulingGates", "spec.initContainers", "status", "kind", "apiVersion", "metadata.managedFields", "metadata.generateName"];
        await Gen.Select(Gen.OneOf(fields.Select(f => (IGen<string>)Gen.Const(f)).ToArray()), values, Gen.OneOf(Gen.Const("POST"), Gen.Const("PATCH"), Gen.Const("PUT"))).SampleAsync(async (field, value, method) =>
        {
            var pod = Pod("p");
            pod.Put(field, JsonNode.Parse(value));
            var (url, type) = method == "POST" ? (Pods, "application/json") : (Pods + "/p", method == "PUT" ? "application/json" : "application/merge-patch+json");
            using var response = await server.Client.SendAsync(method, url, pod.ToJsonString(), type);
            ((int)response.StatusCode).ShouldBeLessThan(500, $"{method} {field}={value}: {await response.Content.ReadAsStringAsync()}");
        }, iter: 300, threads: 1);
    }

    [Fact]
    public async Task Deep_nesting_and_alias_bombs_are_refused()
    {
        await using var server = await StartAsync();
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 5000)) + "1" + new string('}', 5000);
        using var response = await server.Client.SendAsync("POST", ConfigMaps, deep);
        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var bomb = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 10; i++) bomb.Append($"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        using var second = await server.Client.SendAsync("POST", ConfigMaps, bomb.ToString(), "application/yaml");
        second.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("GET", "/api/v1/namespaces/default/pods/x/exec", 501)]
    [InlineData("GET", "/api/v1/nodes/x/proxy", 501)]
    [InlineData("POST", "/api/v1/namespaces/default/pods/x/portforward", 501)]
    [InlineData("GET", "/api/v1/namespaces/default/pods/x/nonsense", 404)]
    [InlineData("PUT", "/api/v1/namespaces/default/pods", 405)]
    [InlineData("DELETE", "/api/v1/namespaces", 405)]
    [InlineData("GET", "/api/v1/namespaces/../../etc/passwd", 404)]
    [InlineData("GET", "/apis/trestle.dev/v1alpha1/namespaces/default/trainingjobs?continue=%00&limit=1", 400)]
    [InlineData("GET", "/api/v1/pods?watch=1&sendInitialEvents=true", 422)]
    [InlineData("GET", "/api/v1/pods?resourceVersion=99999999", 504)]
    public async Task What_is_not_served_says_so(string method, string url, int status)
    {
        await using var server = await StartAsync();
        using var response = await server.Client.SendAsync(method, url);
        ((int)response.StatusCode).ShouldBe(status, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Secrets_never_reach_the_log()
    {
        var log = new CollectedLog();
        await using var server = await StartAsync(new ApiServerOptions { LoggerFactory = log });
        await server.Client.JsonAsync("POST", "/api/v1/namespaces/default/secrets", JsonNode.Parse("""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"k":"hunter2"}}"""));
        using var other = new ApiClient(server.Server, "sup3rs3cret");
        (await other.TryAsync("GET", "/api/v1/namespaces/default/secrets/s")).Status.ShouldBe(401);
        log.Lines.ShouldContain(l => l.Contains("POST /api/v1/namespaces/default/secrets", StringComparison.Ordinal));
        log.Lines.ShouldNotContain(l => l.Contains("hunter2", StringComparison.Ordinal) || l.Contains("sup3rs3cret", StringComparison.Ordinal) || l.Contains(server.Server.AdminToken, StringComparison.Ordinal));
    }
}
