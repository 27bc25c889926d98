using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Views;

/// <summary>Copies of statuses to change; those in the caches are shared.</summary>
public static class StatusCopies
{
    /// <summary>A deep copy; an empty status for null.</summary>
    public static TrainingJobStatus Copy(this TrainingJobStatus? status) => Copy(status, TrestleJson.Default.TrainingJobStatus);

    /// <summary>A deep copy; an empty status for null.</summary>
    public static JobGroupStatus Copy(this JobGroupStatus? status) => Copy(status, TrestleJson.Default.JobGroupStatus);

    /// <summary>A deep copy; an empty status for null.</summary>
    public static InferenceServiceStatus Copy(this InferenceServiceStatus? status) => Copy(status, TrestleJson.Default.InferenceServiceStatus);

    private static T Copy<T>(T? status, JsonTypeInfo<T> format)
        where T : class, new() =>
        status is null ? new T() : JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(status, format), format)!;
}
