using Trestle.Runtime;
using static Trestle.Runtime.MetricType;

namespace Trestle.WeightsGateway.Hosting;

/// <summary>All metrics of the gateway.</summary>
internal static class GatewayMetricTable
{
    public static readonly MetricDefinition Replicas = new("trestle_gateway_replicas", Gauge, "replicas", ["state"], "Replicas by what they are doing.");

    public static readonly MetricDefinition Waiting = new("trestle_gateway_requests_waiting", Gauge, "requests", [], "Requests in the queues of all engines.");

    public static readonly MetricDefinition Running = new("trestle_gateway_requests_running", Gauge, "requests", [], "Requests that make tokens.");

    public static readonly MetricDefinition Epoch = new("trestle_gateway_epoch", Gauge, "epochs", [], "Number of the transfer group.");

    public static readonly MetricDefinition RequestBytes = new("trestle_gateway_request_bytes", Gauge, "bytes", [], "Bodies that are kept until their requests have an answer.");

    public static readonly MetricDefinition Refused = new("trestle_gateway_requests_refused_total", Counter, "requests", [], "Requests that were answered with 503 as there was no room for their bodies.");

    /// <summary>In the order of the documentation.</summary>
    public static readonly IReadOnlyList<MetricDefinition> All = [Replicas, Waiting, Running, Epoch, RequestBytes, Refused];
}
