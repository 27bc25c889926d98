using System.Text.Json.Nodes;
using Trestle.Api.Crds;
using Trestle.Api.Yaml;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Charts;

/// <summary>The chart as Helm renders it, with no cluster.</summary>
public sealed class ChartTests : IAsyncLifetime
{
    private static readonly string EveryOption = RepositoryFiles.Path("tests", "Integration", "Charts", "every-option.yaml");
    private Helm _helm = null!;

    public async ValueTask InitializeAsync() => _helm = await Helm.FindAsync();

    public ValueTask DisposeAsync() => default;

    [Fact]
    public async Task Lint_finds_nothing_with_the_defaults_and_with_every_option()
    {
        (await _helm.RunAsync("lint", "--strict", Helm.Chart)).ShouldExit(0).Out.ShouldContain("0 chart(s) failed");
        (await _helm.RunAsync("lint", "--strict", Helm.Chart, "-f", EveryOption)).ShouldExit(0).Out.ShouldContain("0 chart(s) failed");
    }

    [Fact]
    public async Task The_committed_render_is_what_the_chart_gives()
    {
        var rendered = (await _helm.TemplateAsync("--set", "namespace.create=true")).ShouldExit(0).Out;
        var path = RepositoryFiles.Path("config", "default", "trestle.yaml");
        if (Environment.GetEnvironmentVariable("UPDATE_CHART") == "1") await File.WriteAllTextAsync(path, rendered, TestContext.Current.CancellationToken);
        (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).ShouldBe(rendered, "config/default is stale; run the Integration tests with UPDATE_CHART=1");
    }

    [Fact]
    public async Task Every_option_adds_the_objects_it_promises_and_reaches_the_program()
    {
        var objects = await _helm.ObjectsAsync("-f", EveryOption);
        objects.Select(Title).Except((await _helm.ObjectsAsync()).Select(Title)).Order(StringComparer.Ordinal).ShouldBe(
            [
                "ClusterRole/trestle-bridge", "ClusterRole/trestle-launcher", "ClusterRoleBinding/trestle-bridge", "Deployment/trestle-bridge", "Namespace/trestle-system",
                "NetworkPolicy/trestle-bridge", "NetworkPolicy/trestle-operator", "PodDisruptionBudget/trestle-bridge", "PodDisruptionBudget/trestle-operator", "PrometheusRule/trestle-operator",
                "Role/trestle-bridge", "Role/trestle-bridge-logs", "RoleBinding/trestle-bridge", "RoleBinding/trestle-bridge-logs", "RoleBinding/trestle-launcher", "Service/trestle-bridge",
                "Service/trestle-metrics", "ServiceAccount/launcher", "ServiceAccount/slurm-bridge", "ServiceAccount/trestle-operator", "ServiceMonitor/trestle-bridge", "ServiceMonitor/trestle-operator",
            ]);
        var pod = objects.Single(one => Title(one) == "Deployment/trestle-operator")["spec"]!["template"]!["spec"]!;
        ((string?)pod["containers"]![0]!["image"]).ShouldBe("registry.example/trestle/operator:1.2.3");
        var variables = pod["containers"]![0]!["env"]!.AsArray().ToDictionary(one => (string)one!["name"]!, one => (string?)one!["value"]);
        variables["TRESTLE_NODE_IMAGE"].ShouldBe("registry.example/trestle/node@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        variables["TRESTLE_GATEWAY_IMAGE"].ShouldBe("registry.example/trestle/weights-gateway:1.2.5");
        variables["TRESTLE_RENDEZVOUS_URL"].ShouldBe("http://trestle.trestle-system.svc:9090");
        variables["TRESTLE_METRICS_LISTEN"].ShouldBe("http://*:9080");
        variables["TRESTLE_LAUNCHER_ACCOUNT"].ShouldBe("launcher");
        (variables["TRESTLE_DEFAULT_IMAGE"], variables["TRESTLE_DEFAULT_STORAGE_ROOT"], variables["TRESTLE_LEASE_SECONDS"]).ShouldBe(("example/train:1", "/shared/trestle", "12"));
    }

    [Fact]
    public async Task The_bridge_is_off_by_default_and_its_options_reach_the_program()
    {
        (await _helm.ObjectsAsync()).ShouldNotContain(one => Title(one).Contains("bridge", StringComparison.Ordinal));
        var objects = (await _helm.ObjectsAsync("-f", EveryOption)).ToLookup(Title);
        var pod = objects["Deployment/trestle-bridge"].Single()["spec"]!["template"]!["spec"]!;
        ((string?)pod["containers"]![0]!["image"], (string?)pod["serviceAccountName"]).ShouldBe(("registry.example/trestle/bridge:1.2.4", "slurm-bridge"));
        var variables = pod["containers"]![0]!["env"]!.AsArray().ToDictionary(one => (string)one!["name"]!, one => (string?)one!["value"]);
        (variables["TRESTLE_LOGS_LISTEN"], variables["TRESTLE_HEALTH_LISTEN"], variables["TRESTLE_LEASE_SECONDS"], variables["TRESTLE_LOG_LEVEL"]).ShouldBe(("http://*:9092", "http://*:9081", "14", "Debug"));
        variables["TRESTLE_LOGS_AT"].ShouldBe("/api/v1/namespaces/trestle-system/services/http:trestle-bridge:logs/proxy");
        objects["Service/trestle-bridge"].Single()["spec"]!["ports"]!.AsArray().Select(port => $"{port!["name"]} {port["port"]} {port["targetPort"]}").ShouldBe(["logs 9092 logs", "metrics 9080 health"]);
        objects["NetworkPolicy/trestle-bridge"].Single()["spec"]!["egress"]![0]!["ports"]!.AsArray().Select(port => (int)port!["port"]!).ShouldBe([53, 53, 6443, 22, 2222]);
        ImageTag(await _helm.ObjectsAsync("--set", "bridge.enabled=true")).ShouldBe("trestle/bridge:0.1.0");

        static string? ImageTag(IReadOnlyList<JsonObject> rendered) => (string?)rendered.Single(one => Title(one) == "Deployment/trestle-bridge")["spec"]!["template"]!["spec"]!["containers"]![0]!["image"];
    }

    [Fact]
    public async Task Who_may_view_a_namespace_may_have_a_token_for_its_slurm_logs_and_come_to_the_bridge_with_it_and_no_more()
    {
        var objects = (await _helm.ObjectsAsync("-f", EveryOption)).ToLookup(Title);
        objects["ClusterRole/trestle-view"].Single()["rules"]![1]!.ToJsonString().ShouldBe("""{"apiGroups":[""],"resources":["serviceaccounts/token"],"resourceNames":["trestle-logs"],"verbs":["create"]}""");
        objects["Role/trestle-bridge-logs"].Single()["rules"]!.ToJsonString().ShouldBe("""[{"apiGroups":[""],"resources":["services/proxy"],"resourceNames":["http:trestle-bridge:logs"],"verbs":["get"]}]""");
        objects["RoleBinding/trestle-bridge-logs"].Single()["subjects"]!.ToJsonString().ShouldBe("""[{"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"system:authenticated"}]""");
        (await _helm.ObjectsAsync()).Single(one => Title(one) == "ClusterRole/trestle-view")["rules"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Objects_of_a_namespace_are_in_the_releases_own_unless_they_are_launchers()
    {
        string[] clusterWide = ["ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace"];
        var objects = (await _helm.ObjectsAsync("-f", EveryOption)).Where(one => !clusterWide.Contains((string)one["kind"]!, StringComparer.Ordinal)).ToLookup(one => Title(one).EndsWith("launcher", StringComparison.Ordinal));
        objects[false].Select(one => (string?)one["metadata"]!["namespace"]).Distinct().ShouldBe(["trestle-system"]);
        objects[true].Select(one => (string?)one["metadata"]!["namespace"]).Distinct().ShouldBe(["default", "team-a"]);
    }

    [Fact]
    public async Task Every_pod_meets_the_restricted_pod_security_level()
    {
        foreach (var objects in new[] { await _helm.ObjectsAsync(), await _helm.ObjectsAsync("-f", EveryOption) })
        {
            foreach (var pod in objects.Where(one => (string?)one["kind"] == "Deployment").Select(one => one["spec"]!["template"]!["spec"]!))
            {
                pod["securityContext"]!.ToJsonString().ShouldBe("""{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}}""");
                pod["containers"]!.AsArray().Select(one => one!["securityContext"]!.ToJsonString()).ShouldBe(["""{"allowPrivilegeEscalation":false,"readOnlyRootFilesystem":true,"capabilities":{"drop":["ALL"]}}"""]);
            }
        }
    }

    [Fact]
    public async Task Definitions_are_kept_when_the_release_goes_and_are_left_out_when_asked()
    {
        var definitions = (await _helm.ObjectsAsync()).Where(one => (string?)one["kind"] == "CustomResourceDefinition").ToList();
        definitions.ShouldAllBe(one => (string?)one["metadata"]!["annotations"]!["helm.sh/resource-policy"] == "keep");
        definitions.Select(one => one["spec"]!.ToJsonString()).Order(StringComparer.Ordinal)
            .ShouldBe(CrdManifests.All.Select(manifest => YamlDocuments.Read(manifest.Yaml)[0].ToJson()!["spec"]!.ToJsonString()).Order(StringComparer.Ordinal));
        (await _helm.ObjectsAsync("--set", "crds.enabled=false")).ShouldNotContain(one => (string?)one["kind"] == "CustomResourceDefinition");
    }

    [Fact]
    public async Task Nothing_is_a_hook() =>
        (await _helm.TemplateAsync("-f", EveryOption)).ShouldExit(0).Out.ShouldNotContain("helm.sh/hook");

    [Fact]
    public async Task Users_may_view_every_kind_and_launchers_may_create_jobs_and_nothing_else()
    {
        var roles = (await _helm.ObjectsAsync("-f", EveryOption)).Where(one => (string?)one["kind"] == "ClusterRole").ToDictionary(one => (string)one["metadata"]!["name"]!);
        roles["trestle-view"]["rules"]![0]!["resources"]!.AsArray().Select(one => (string)one!).Order(StringComparer.Ordinal).ShouldBe(CrdManifests.All.Select(manifest => manifest.Name));
        roles["trestle-launcher"]["rules"]!.ToJsonString().ShouldBe("""[{"apiGroups":["trestle.dev"],"resources":["trainingjobs"],"verbs":["create"]}]""");
    }

    [Theory]
    [InlineData("replicas=2", "at '': additional properties 'replicas' not allowed")]
    [InlineData("operator.replica=2", "at '/operator': additional properties 'replica' not allowed")]
    [InlineData("metrics.serviceMonitor.every=5s", "at '/metrics/serviceMonitor': additional properties 'every' not allowed")]
    [InlineData("operator.replicas=two", "at '/operator/replicas': got string, want integer")]
    [InlineData("image.pullPolicy=Sometimes", "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'")]
    [InlineData("operator.leaseSeconds=1", "at '/operator/leaseSeconds': minimum: got 1, want 3")]
    [InlineData("rendezvous.port=80", "at '/rendezvous/port': minimum: got 80, want 1,024")]
    public async Task A_value_that_is_wrong_is_refused_with_its_place(string value, string sentence) =>
        (await _helm.TemplateAsync("--set", value)).ShouldExit(1).Error.ShouldContain(sentence);

    [Fact]
    public void The_schema_closes_every_object_and_describes_every_value()
    {
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(Helm.Chart, "values.schema.json")))!.AsObject();
        Open(schema, "").ShouldBeEmpty();
        Undescribed(YamlDocuments.Read(File.ReadAllText(Path.Combine(Helm.Chart, "values.yaml")))[0].ToJson()!, schema, schema, "").ShouldBeEmpty();
    }

    // Places of objects with named properties that take others as well.
    private static IEnumerable<string> Open(JsonNode? node, string at) => node switch
    {
        JsonObject map => (map["properties"] is JsonObject && map["type"] is JsonValue && map["additionalProperties"]?.ToJsonString() != "false" ? [at] : Array.Empty<string>()).Concat(map.SelectMany(entry => Open(entry.Value, $"{at}/{entry.Key}"))),
        JsonArray list => list.SelectMany(item => Open(item, at)),
        _ => [],
    };

    private static IEnumerable<string> Undescribed(JsonNode value, JsonObject schema, JsonObject root, string at)
    {
        if ((string?)schema["$ref"] is { } reference) schema = root["$defs"]![reference["#/$defs/".Length..]]!.AsObject();
        if (value is not JsonObject map || schema["properties"] is not JsonObject properties) return [];
        return map.SelectMany(entry => properties[entry.Key] is JsonObject known ? Undescribed(entry.Value ?? "", known, root, $"{at}/{entry.Key}") : [$"{at}/{entry.Key}"]);
    }

    private static string Title(JsonObject one) => $"{one["kind"]}/{one["metadata"]!["name"]}";
}
