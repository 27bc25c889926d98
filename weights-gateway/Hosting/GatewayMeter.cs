using Prometheus;
using Trestle.Runtime;
using Trestle.WeightsGateway.Replicas;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Hosting;

/// <summary>What the gateway measures.</summary>
internal static class GatewayMeter
{
    private static readonly CollectorRegistry Registry = Metrics.NewCustomRegistry();
    private static readonly MetricFactory Make = Metrics.WithCustomRegistry(Registry);
    private static readonly Gauge Replicas = Create(GatewayMetricTable.Replicas);
    private static readonly Gauge Waiting = Create(GatewayMetricTable.Waiting);
    private static readonly Gauge Running = Create(GatewayMetricTable.Running);
    private static readonly Gauge Epoch = Create(GatewayMetricTable.Epoch);

    private static readonly Gauge Bytes = Create(GatewayMetricTable.RequestBytes);
    private static readonly Counter Refusals = Make.CreateCounter(GatewayMetricTable.Refused.Name, GatewayMetricTable.Refused.Meaning);

    static GatewayMeter() => DotNetStats.Register(Registry);

    /// <summary>Writes all of it as Prometheus reads it.</summary>
    public static Task WriteAsync(Stream page, CancellationToken ct) => Registry.CollectAndExportAsTextAsync(page, ct);

    public static void Seen(GatewayState state, IReadOnlyList<Member> members)
    {
        foreach (var kind in Enum.GetValues<ReplicaState>()) Replicas.WithLabels(kind.ToString()).Set(members.Count(member => member.State == kind));
        Waiting.Set(members.Sum(member => member.Load?.Waiting ?? 0));
        Running.Set(members.Sum(member => member.Load?.Running ?? 0));
        Epoch.Set(state.Epoch);
    }

    public static void Holds(long bytes) => Bytes.Set(bytes);

    public static void Refused() => Refusals.Inc();

    private static Gauge Create(MetricDefinition definition) => Make.CreateGauge(definition.Name, definition.Meaning, [.. definition.Labels]);
}
