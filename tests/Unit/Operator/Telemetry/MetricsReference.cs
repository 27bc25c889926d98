using System.Globalization;
using System.Text;
using Trestle.Bridge;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.Telemetry;
using Trestle.Runtime;
using Trestle.WeightsGateway.Hosting;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.Operator.Tests.Telemetry;

/// <summary>docs/reference/metrics.md.</summary>
internal static class MetricsReference
{
    public static string Text { get; } = Render();

    private static string Render()
    {
        var text = new StringBuilder();
        text.Append(
            $"""
            # Metrics and traces

            <!-- Generated from operator/Telemetry/MetricTable.cs, bridge/BridgeMetricTable.cs and weights-gateway/Hosting/GatewayMetricTable.cs: UPDATE_DOCS=1 dotnet test --project tests/Unit/Operator -->

            The operator's metrics are off until `OperatorOptions.MetricsListen` names an address, e.g. `http://127.0.0.1:9464`; then `GET /metrics` answers there
            in the text format of Prometheus. There is no login: let only Prometheus reach the port.

            | Name | Type | Unit | Labels | Meaning |
            |---|---|---|---|---|

            """);
        AppendRows(text, MetricTable.All);

        text.Append(
            $"""

            Beside these stand `process_*` and `dotnet_*`: CPU, memory, threads and garbage collections of the process.

            ## Labels

            | Label | Values |
            |---|---|
            | `queue` | `spec.scheduling.queue`, `{MetricLabels.DefaultQueue}` when absent; the first {MetricLabels.MostQueues} seen since the start, then `{MetricLabels.Other}` |
            | `priority` | `spec.scheduling.priority` as it is, 0 when absent; the first {MetricLabels.MostPairs} pairs of queue and priority, then `{MetricLabels.Other}` |
            | `accelerator` | the node label `trestle.dev/accelerator`, `{MetricLabels.UnknownAccelerator}` without it; of requests the name in `spec.resources.accelerators`; the first {MetricLabels.MostAccelerators}, then `{MetricLabels.Other}` |
            | `cause` | `user`, `infrastructure`, `preemption`, `recoverable`: as `status.restarts` counts them |
            | `phase` | the phases of a TrainingJob, and `{JobCounters.Deleted}` |
            | `controller` | `trainingjob`, `jobgroup`, `storage` |

            No label holds the name of an object.

            ## The Slurm bridge

            The bridge serves these at `/metrics` of `--health-listen`, with `process_*` and `dotnet_*` of its own.

            | Name | Type | Unit | Labels | Meaning |
            |---|---|---|---|---|

            """);
        AppendRows(text, BridgeMetricTable.All);
        text.Append(
            $"""

            | Label | Values |
            |---|---|
            | `result` | `answered`, `lost` |
            | `answer` | the kinds of [`SubmissionAnswer`](../../bridge/Jobs/SubmissionAnswer.cs) |

            ## The gateway of an InferenceService

            The gateway's pod serves these at `/metrics` of port {ServicePorts.Health}, with `process_*` and `dotnet_*` of its own. The namespace and the pod that Prometheus adds tell
            which service it is.

            | Name | Type | Unit | Labels | Meaning |
            |---|---|---|---|---|

            """);
        AppendRows(text, GatewayMetricTable.All);
        text.Append(
            $"""

            | Label | Values |
            |---|---|
            | `state` | {string.Join(", ", Enum.GetNames<ReplicaState>().Select(state => $"`{state}`"))} |

            ## How it is counted

            - Counters and histograms are of one process, and start at 0 with it. Those of the operator count what it sees while it leads; what the objects
              tell of the time before is history and not counted again. A change between the end of one leader and the first list of the next is counted by neither.
            - Gauges of the operator are counted from the caches when somebody asks, at most every {CensusGauges.Freshness.TotalSeconds} s, and only by the leader: sum them over all replicas without fear.
            - `trestle_allocatable_gpus` less `trestle_allocated_gpus` less `trestle_free_gpus` are GPUs on nodes that take no pods: cordoned, or not ready.

            ## Traces

            Spans are sent by OTLP when `OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) is set; the other variables of OpenTelemetry, such
            as `OTEL_EXPORTER_OTLP_PROTOCOL` (`grpc` when absent, or `http/protobuf`), `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_SERVICE_NAME`, hold as well.

            One trace a job: the span `{JobSpans.RootName}` from its creation to its end, and in it one span for each phase it was in, named after the phase and sent when the phase is over.
            Their times are those of the job's status. The trace id is the first 16 bytes of the SHA-256 of the job's uid, the id of the span `{JobSpans.RootName}` the next 8, so that
            they are the same whoever leads, and can be worked out: `kubectl get tj NAME -o jsonpath='{"{.metadata.uid}"}' | sha256sum | cut -c1-32`.

            | Attribute | Is |
            |---|---|
            | `k8s.namespace.name` | the namespace |
            | `trestle.job.name`, `trestle.job.uid` | the job |
            | `trestle.job.attempt` | `status.attempt`, when there is one |
            | `trestle.job.reason` | `status.reason` |
            | `trestle.job.phase` | on `{JobSpans.RootName}`: the last phase, or `{JobCounters.Deleted}` |

            """);
        return text.ToString();
    }

    private static void AppendRows(StringBuilder text, IEnumerable<MetricDefinition> metrics)
    {
        foreach (var metric in metrics)
        {
            var labels = metric.Labels.Count == 0 ? "–" : string.Join(", ", metric.Labels.Select(label => $"`{label}`"));
            text.Append(CultureInfo.InvariantCulture, $"| `{metric.Name}` | {metric.Type.ToString().ToLowerInvariant()} | {metric.Unit} | {labels} | {metric.Meaning} |\n");
        }
    }
}
