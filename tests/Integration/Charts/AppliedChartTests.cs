using System.Text.Json.Nodes;
using Trestle.Integration.Tests.Kubectl;
using Trestle.Testing;

namespace Trestle.Integration.Tests.Charts;

/// <summary>What the chart renders, given to an API server.</summary>
public sealed class AppliedChartTests : IAsyncLifetime
{
    private Helm _helm = null!;
    private KubectlSession _session = null!;

    public async ValueTask InitializeAsync()
    {
        _helm = await Helm.FindAsync();
        _session = await KubectlSession.StartAsync();
    }

    public ValueTask DisposeAsync() => _session?.DisposeAsync() ?? default;

    [Fact]
    public async Task The_committed_render_is_taken_whole_and_then_differs_in_nothing()
    {
        var file = RepositoryFiles.Path("config", "default", "trestle.yaml");
        (await _session.RunAsync("apply", "--server-side", "-f", file)).ShouldExit(0).Out.Split("serverside-applied").Length.ShouldBe(1 + Helm.Objects(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).Count);
        (await _session.RunAsync("diff", "--server-side", "-f", file)).ShouldExit(0);
        (await _session.RunAsync("wait", "--for=condition=Established", "crd", "--all", "--timeout=20s")).ShouldExit(0);
        (await _session.RunAsync("-n", "trestle-system", "get", "deployment,service,serviceaccount,role,rolebinding", "-o", "name")).ShouldExit(0).Out.ShouldContain("deployment.apps/trestle-operator");
    }

    [Fact]
    public async Task Every_option_is_taken_both_ways_of_applying()
    {
        // ServiceMonitor and PrometheusRule are kinds of another operator, whose definitions this server has not got.
        var objects = (await _helm.ObjectsAsync("-f", RepositoryFiles.Path("tests", "Integration", "Charts", "every-option.yaml"))).Where(one => (string?)one["apiVersion"] != "monitoring.coreos.com/v1").ToList();
        (await _session.RunAsync("create", "namespace", "team-a")).ShouldExit(0);
        var list = _session.Files.Write("all.yaml", string.Join("\n---\n", objects.Select(one => one.ToJsonString())));
        (await _session.RunAsync("apply", "--server-side", "-f", list)).ShouldExit(0);
        foreach (var one in objects)
        {
            var ns = (string?)one["metadata"]!["namespace"] ?? "default";
            (await _session.RunAsync("-n", ns, "get", $"{one["kind"]}.{Group(one)}".TrimEnd('.'), (string)one["metadata"]!["name"]!)).ShouldExit(0);
        }

        (await _session.RunAsync("apply", "--server-side=false", "--dry-run=server", "-f", list)).ShouldExit(0);
    }

    private static string Group(JsonObject one) => ((string)one["apiVersion"]!).Split('/') is [var group, var version] ? $"{version}.{group}" : "";
}
