using System.Text.Json;
using System.Text.Json.Serialization;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>What a checkpoint consists of. It is written when all of it is in the store, so it is the proof that it is.</summary>
/// <param name="Name">Path of the checkpoint relative to the storage.</param>
/// <param name="Writer">Who wrote it.</param>
/// <param name="Attempt">Number of the attempt that wrote it; 0 when not known.</param>
/// <param name="DurableAt">When it became durable.</param>
/// <param name="Bytes">Of all files.</param>
/// <param name="Files">Its files, by path.</param>
internal sealed record Manifest(string Name, string Writer, int Attempt, DateTimeOffset DurableAt, long Bytes, IReadOnlyList<ManifestFile> Files)
{
    /// <summary>Nodes that wrote it; <see cref="Files"/> are those of all of them.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>The job that wrote it; null when not known.</summary>
    public string? Run { get; init; }

    /// <summary>Of several nodes: the words by which those that finished it said so.</summary>
    public IReadOnlyList<string>? Finishes { get; init; }

    /// <summary>Before the key of everything that is no file of the user's.</summary>
    public const string Root = ".trestle/";

    /// <summary>Before the key of every manifest.</summary>
    public const string Folder = Root + "checkpoints/";

    /// <summary>Key of the manifest of a checkpoint.</summary>
    public static string KeyOf(string name) => $"{Folder}{name}.json";

    /// <summary>As it is stored.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ManifestJson.Default.Manifest);

    /// <summary>Reads one that others may have written; null when it is none, or one that names what is not its own.</summary>
    public static Manifest? FromJson(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ManifestJson.Default.Manifest) is { Name: not null, Files: not null } read && NameRules.IsSafe(read.Name) && read.Files.All(file => file?.IsOf(read.Name) == true) ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Fetches one that was listed; null when it is none.</summary>
    /// <exception cref="StoreException">The store failed, or it has changed since.</exception>
    public static async Task<Manifest?> ReadAsync(IObjectStore store, StoredObject listed, CancellationToken ct)
    {
        return await SmallObject.ReadAsync(store, listed, ct) is { } bytes && FromJson(bytes) is { } manifest && KeyOf(manifest.Name) == listed.Key ? manifest : null;
    }
}

/// <summary>A file of a checkpoint.</summary>
/// <param name="Path">Relative to the storage; its key.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ETag">Of the object.</param>
/// <param name="Crc32">Of the content.</param>
internal sealed record ManifestFile(string Path, long Size, string ETag, uint Crc32)
{
    /// <summary>Permission bits; null when not known.</summary>
    public int? Mode { get; init; }

    /// <summary>When its content was last changed, in nanoseconds since 1970; null when not known.</summary>
    public long? ModifiedNs { get; init; }

    /// <summary>Whether it is a symbolic link, whose content is where it leads.</summary>
    public bool IsLink { get; init; }

    /// <summary>Whether it is a file of the checkpoint of this name. What others write to a bucket may say anything: no path may lead out of the checkpoint.</summary>
    public bool IsOf(string name) => Path is not null && Size >= 0 && NameRules.IsSafe(Path) && (Path == name || Path.StartsWith(name + "/", StringComparison.Ordinal));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(CheckpointShare))]
internal sealed partial class ManifestJson : JsonSerializerContext;
