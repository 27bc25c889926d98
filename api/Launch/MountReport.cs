using System.Text.Json;
using System.Text.Json.Serialization;

namespace Trestle.Api.Launch;

/// <summary>What a cache mount of a rank tells the operator of itself.</summary>
public sealed record MountReport
{
    /// <summary>Most bytes of a report.</summary>
    public const int MaxSize = 64 << 10;

    /// <summary>Most checkpoints of a report.</summary>
    public const int MaxCheckpoints = 20;

    /// <summary>Files that are closed and not in the storage yet.</summary>
    public int PendingFiles { get; init; }

    /// <summary>Their bytes.</summary>
    public long PendingBytes { get; init; }

    /// <summary>Checkpoints that are finished and not durable yet.</summary>
    public int PendingCheckpoints { get; init; }

    /// <summary>Bytes that the storage took in a second, of late; 0 when nothing was sent.</summary>
    public long BytesPerSecond { get; init; }

    /// <summary>Checkpoints that became durable since the mount was started, the newest first.</summary>
    public IReadOnlyList<DurableCheckpoint> Checkpoints { get; init; } = [];

    /// <summary>True: the user's code has ended, and what it wrote is waited for.</summary>
    public bool IsLast { get; init; }

    /// <summary>What holds it up, or can't be stored, as a sentence; null when nothing does.</summary>
    public string? Trouble { get; init; }

    /// <summary>What became of files that somebody else has written too, as a sentence; null when there are none.</summary>
    public string? Conflict { get; init; }

    /// <summary>Whether everything that was closed is in the storage.</summary>
    [JsonIgnore]
    public bool IsDurable => PendingFiles == 0 && PendingCheckpoints == 0 && Trouble is null;

    /// <summary>Whether it says something that people wait for: that bytes become fewer is looked at from time to time.</summary>
    public bool IsNewsAfter(MountReport before) =>
        (before.IsDurable, before.IsLast, before.Trouble, before.Conflict, before.Newest) != (IsDurable, IsLast, Trouble, Conflict, Newest);

    /// <summary>As it is sent.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, LaunchJson.Default.MountReport);

    /// <summary>Reads one; null when it is none.</summary>
    public static MountReport? FromJson(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, LaunchJson.Default.MountReport) is { Checkpoints: not null, PendingFiles: >= 0, PendingBytes: >= 0, PendingCheckpoints: >= 0 } read && read.Checkpoints.All(IsSound) ? read with { Checkpoints = [.. read.Checkpoints.Take(MaxCheckpoints)] } : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private DurableCheckpoint? Newest => Checkpoints is [var newest, ..] ? newest : null;

    private static bool IsSound(DurableCheckpoint? checkpoint) => checkpoint is { Name: { Length: > 0 and <= 1024 }, Bytes: >= 0 };
}

/// <summary>A checkpoint that is in the storage with all its files.</summary>
/// <param name="Name">Path below the mount.</param>
/// <param name="Bytes">Of its files.</param>
/// <param name="DurableAt">Since when.</param>
public sealed record DurableCheckpoint(string Name, long Bytes, DateTimeOffset DurableAt);

/// <summary>The wire format between ranks and the operator.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MountReport))]
[JsonSerializable(typeof(StorageReport))]
public sealed partial class LaunchJson : JsonSerializerContext;
