using System.Text;
using System.Text.Json;

namespace Trestle.Api.Launch;

/// <summary>What a look into a bucket found; the termination message of the pod that looked.</summary>
public sealed record StorageReport
{
    // Kubernetes keeps so much of a termination message.
    private const int MaxSize = 4096;

    /// <summary>Bytes of all objects.</summary>
    public long Bytes { get; init; }

    /// <summary>Objects.</summary>
    public long Objects { get; init; }

    /// <summary>False: there are more objects than were looked at.</summary>
    public bool IsComplete { get; init; } = true;

    /// <summary>Why nothing can be written; null when it can.</summary>
    public string? WriteError { get; init; }

    /// <summary>Durable checkpoints, the newest first.</summary>
    public IReadOnlyList<DurableCheckpoint> Checkpoints { get; init; } = [];

    /// <summary>As it is told: what does not fit is left out, the oldest checkpoints first.</summary>
    public string ToText()
    {
        for (var count = Math.Min(Checkpoints.Count, MountReport.MaxCheckpoints); ; count--)
        {
            var text = JsonSerializer.Serialize(this with { Checkpoints = [.. Checkpoints.Take(count)] }, LaunchJson.Default.StorageReport);
            if (count == 0 || Encoding.UTF8.GetByteCount(text) <= MaxSize) return text;
        }
    }

    /// <summary>Reads one; null when it is none.</summary>
    public static StorageReport? FromText(string? text)
    {
        try
        {
            return text is not null && JsonSerializer.Deserialize(text, LaunchJson.Default.StorageReport) is { Checkpoints: not null, Bytes: >= 0, Objects: >= 0 } read && read.Checkpoints.All(checkpoint => checkpoint is { Name.Length: > 0, Bytes: >= 0 }) ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
