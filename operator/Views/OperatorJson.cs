using System.Text.Json.Serialization;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling.Modes.Gangs;
using Trestle.Operator.Scheduling.Modes.Kueue;

namespace Trestle.Operator.Views;

/// <summary>The wire format of the views.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(KubernetesTimeConverter)])]
[JsonSerializable(typeof(PodView))]
[JsonSerializable(typeof(NodeView))]
[JsonSerializable(typeof(KueueWorkload))]
[JsonSerializable(typeof(KueueWorkloadView))]
[JsonSerializable(typeof(KueueLocalQueueView))]
[JsonSerializable(typeof(KueueFlavorView))]
[JsonSerializable(typeof(PodGroupV1Alpha2))]
[JsonSerializable(typeof(PodGroupV1Beta1))]
[JsonSerializable(typeof(VolcanoPodGroup))]
[JsonSerializable(typeof(CoschedulingPodGroup))]
[JsonSerializable(typeof(List<V1Condition>))]
public sealed partial class OperatorJson : JsonSerializerContext;
