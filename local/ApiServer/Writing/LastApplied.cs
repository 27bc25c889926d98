using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>
/// kubectl's annotation of what it applied last. A server-side apply by kubectl brings it up to date, so that a later
/// client-side apply does not compare with something older.
/// </summary>
internal static class LastApplied
{
    private const string Annotation = "kubectl.kubernetes.io/last-applied-configuration";

    public static void Update(JsonObject merged, JsonObject applied, string manager)
    {
        var annotations = merged.Object("metadata").Object("annotations");
        if (manager != "kubectl" || string.IsNullOrEmpty(annotations.Text(Annotation))) return;
        var config = (JsonObject)Sorted(applied)!;
        var metadata = config.Object("metadata");
        metadata?.Remove("managedFields");
        metadata.Object("annotations")?.Remove(Annotation);
        if (metadata.Object("annotations") is { Count: 0 }) metadata!.Remove("annotations");
        annotations![Annotation] = System.Text.Encoding.UTF8.GetString(JsonBody.Serialize(config)) + "\n";
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };
}
