using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>One version of one object: its JSON in UTF-8 and the few values lists and controllers look at.</summary>
internal sealed class StoredObject
{
    private static readonly IReadOnlyDictionary<string, string> NoLabels = new Dictionary<string, string>();

    private ImmutableDictionary<string, string> _texts = ImmutableDictionary<string, string>.Empty;

    /// <summary><c>namespace/name</c>, or <c>name</c> for a cluster-scoped object.</summary>
    public required string Key { get; init; }
    public required string? Namespace { get; init; }
    public required string Name { get; init; }
    public required string Uid { get; init; }
    public required long ResourceVersion { get; init; }
    public required IReadOnlyDictionary<string, string> Labels { get; init; }
    public required IReadOnlyList<OwnerReference> Owners { get; init; }
    public required IReadOnlyList<string> Finalizers { get; init; }
    public required bool IsDeleting { get; init; }
    public required byte[] Json { get; init; }

    /// <summary>Length of <c>{"kind":…,"apiVersion":…,</c>, which items of built-in lists leave out.</summary>
    public required int HeadLength { get; init; }

    public JsonObject Parse() => JsonBody.ParseObject(Json);

    /// <summary>The text at a path, empty when there is none; parsed once, however many selections ask.</summary>
    public string TextAt(string path)
    {
        if (_texts.TryGetValue(path, out var text)) return text;
        text = Parse().TextAt(path);
        _texts = _texts.SetItem(path, text); // a lost race only parses again
        return text;
    }

    public static StoredObject From(JsonObject content, long resourceVersion)
    {
        var metadata = content.Object("metadata") ?? [];
        metadata["resourceVersion"] = resourceVersion.ToString();
        PutHeadFirst(content);
        return Read(content, metadata, resourceVersion, JsonBody.Serialize(content));
    }

    public static StoredObject Load(byte[] json, long resourceVersion)
    {
        var content = JsonBody.ParseObject(json);
        return Read(content, content.Object("metadata") ?? [], resourceVersion, json);
    }

    public static string KeyOf(string? ns, string name) => string.IsNullOrEmpty(ns) ? name : ns + "/" + name;

    private static StoredObject Read(JsonObject content, JsonObject metadata, long resourceVersion, byte[] json)
    {
        var ns = metadata.Text("namespace");
        var name = metadata.Text("name") ?? "";
        return new StoredObject
        {
            Key = KeyOf(ns, name),
            Namespace = ns,
            Name = name,
            Uid = metadata.Text("uid") ?? "",
            ResourceVersion = resourceVersion,
            Labels = ReadLabels(metadata),
            Owners = ReadOwners(metadata),
            Finalizers = metadata.Array("finalizers")?.Select(f => f.AsText() ?? "").ToArray() ?? [],
            IsDeleting = metadata.Text("deletionTimestamp") is not null,
            Json = json,
            HeadLength = MeasureHead(json),
        };
    }

    private static void PutHeadFirst(JsonObject content)
    {
        var apiVersion = content["apiVersion"]?.DeepClone();
        var kind = content["kind"]?.DeepClone();
        content.Remove("apiVersion");
        content.Remove("kind");
        content.Insert(0, "apiVersion", apiVersion);
        content.Insert(0, "kind", kind);
    }

    private static IReadOnlyDictionary<string, string> ReadLabels(JsonObject metadata) =>
        metadata.Object("labels") is { Count: > 0 } labels
            ? labels.ToDictionary(l => l.Key, l => l.Value.AsText() ?? "")
            : NoLabels;

    private static OwnerReference[] ReadOwners(JsonObject metadata) =>
        metadata.Array("ownerReferences")?.OfType<JsonObject>()
            .Select(o => new OwnerReference(
                o.Text("apiVersion") ?? "", o.Text("kind") ?? "", o.Text("name") ?? "", o.Text("uid") ?? "", o.Flag("blockOwnerDeletion")))
            .ToArray() ?? [];

    private static int MeasureHead(byte[] json)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        for (var property = 0; property < 2; property++)
        {
            reader.Read();
            reader.Read();
            reader.Skip();
        }

        return (int)reader.BytesConsumed + 1;
    }
}

internal sealed record OwnerReference(string ApiVersion, string Kind, string Name, string Uid, bool BlocksDeletion);
