using System.Text.Json;
using System.Text.Json.Serialization;
using k8s.Models;

namespace Trestle.Api.V1Alpha1;

/// <summary>The wire format of all kinds: camelCase, absent instead of null, enums by name, times in UTC.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    Converters = [typeof(KubernetesTimeConverter)])]
[JsonSerializable(typeof(TrainingJob))]
[JsonSerializable(typeof(JobGroup))]
[JsonSerializable(typeof(Storage))]
[JsonSerializable(typeof(SlurmCluster))]
[JsonSerializable(typeof(SlurmJob))]
[JsonSerializable(typeof(InferenceService))]
[JsonSerializable(typeof(Queue))]
[JsonSerializable(typeof(TrainingJobSpec))]
[JsonSerializable(typeof(InferenceServiceSpec))]
[JsonSerializable(typeof(V1ConfigMap))]
[JsonSerializable(typeof(V1Secret))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class TrestleJson : JsonSerializerContext;
