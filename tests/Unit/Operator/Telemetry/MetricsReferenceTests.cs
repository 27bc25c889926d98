using System.Text;
using Trestle.Bridge;
using Trestle.Operator.Telemetry;
using Trestle.Runtime;
using Trestle.WeightsGateway.Hosting;

namespace Trestle.Operator.Tests.Telemetry;

public sealed class MetricsReferenceTests
{
    private const string Refresh = "docs/reference/metrics.md is stale; run: UPDATE_DOCS=1 dotnet test --project tests/Unit/Operator";

    [Fact]
    public async Task The_reference_is_what_the_instruments_say()
    {
        var path = SourceTree.File("docs/reference/metrics.md");
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1") await File.WriteAllTextAsync(path, MetricsReference.Text, TestContext.Current.CancellationToken);

        (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).ShouldBe(MetricsReference.Text, Refresh);
    }

    [Fact]
    public async Task Every_metric_on_the_page_is_in_the_table_and_every_one_of_the_table_on_the_page()
    {
        using var metrics = new OperatorMetrics(TimeProvider.System);

        var types = (await metrics.TextAsync()).Split('\n').Where(line => line.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(line => line["# TYPE ".Length..]);

        types.Order().ShouldBe(MetricTable.All.Select(metric => $"{metric.Name} {metric.Type.ToString().ToLowerInvariant()}").Order());
    }

    [Fact]
    public Task The_bridges_page_has_those_of_its_table_and_no_other() => HasOnlyAsync(BridgeMetricTable.All, BridgeMeter.WriteAsync);

    [Fact]
    public Task The_gateways_page_has_those_of_its_table_and_no_other() => HasOnlyAsync(GatewayMetricTable.All, GatewayMeter.WriteAsync);

    [Fact]
    public void Names_end_as_Prometheus_wants_them_to()
    {
        foreach (var metric in MetricTable.All.Concat(BridgeMetricTable.All).Concat(GatewayMetricTable.All))
        {
            metric.Name.ShouldMatch("^trestle_[a-z_]+$");
            metric.Name.EndsWith("_total", StringComparison.Ordinal).ShouldBe(metric.Type == MetricType.Counter, metric.Name);
            (metric.Unit == "seconds").ShouldBe(metric.Name.EndsWith("_seconds", StringComparison.Ordinal), metric.Name);
            (metric.Buckets is not null).ShouldBe(metric.Type == MetricType.Histogram, metric.Name);
        }
    }

    private static async Task HasOnlyAsync(IReadOnlyList<MetricDefinition> table, Func<Stream, CancellationToken, Task> write)
    {
        using var page = new MemoryStream();
        await write(page, TestContext.Current.CancellationToken);

        var types = Encoding.UTF8.GetString(page.ToArray()).Split('\n').Where(line => line.StartsWith("# TYPE trestle_", StringComparison.Ordinal)).Select(line => line["# TYPE ".Length..]);

        types.Order().ShouldBe(table.Select(metric => $"{metric.Name} {metric.Type.ToString().ToLowerInvariant()}").Order());
    }
}
