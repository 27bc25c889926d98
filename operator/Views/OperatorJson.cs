using System.Text.Json.Serialization;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Views;

/// <summary>The wire format of the views.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(KubernetesTimeConverter)])]
[JsonSerializable(typeof(PodView))]
[JsonSerializable(typeof(NodeView))]
public sealed partial class OperatorJson : JsonSerializerContext;
