using System.Text.Json;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.TrainingJobs;

/// <summary>Statuses as values: copied and compared by what the API server would store.</summary>
internal static class StatusText
{
    /// <summary>A copy that may be changed; empty when there is none.</summary>
    public static TrainingJobStatus Copy(TrainingJobStatus? status) =>
        status is null ? new TrainingJobStatus() : JsonSerializer.Deserialize(Bytes(status), TrestleJson.Default.TrainingJobStatus)!;

    /// <summary>Whether both say the same.</summary>
    public static bool Same(TrainingJobStatus? one, TrainingJobStatus other) => one is not null && Bytes(one).AsSpan().SequenceEqual(Bytes(other));

    private static byte[] Bytes(TrainingJobStatus status) => JsonSerializer.SerializeToUtf8Bytes(status, TrestleJson.Default.TrainingJobStatus);
}
