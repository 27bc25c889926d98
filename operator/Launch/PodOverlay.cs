using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.Launch;

namespace Trestle.Operator.Launch;

/// <summary>
/// spec.podTemplate on a built pod: a pod spec, or {metadata: labels and annotations, spec}. Objects merge, lists of named things
/// merge by name, tolerations add up, any other value replaces. Pure.
/// </summary>
public static class PodOverlay
{
    // What a gang, its host names and its recovery stand on.
    private static readonly string[] Ours = ["restartPolicy", "schedulingGates", "hostname", "subdomain", "nodeName", "setHostnameAsFQDN"];
    private static readonly string[] OursInMain = ["command", "args"];

    /// <summary>Why the overlay can't be used, as a sentence; null when it can.</summary>
    /// <param name="overlay">The overlay.</param>
    /// <param name="container">The container of the user's program.</param>
    /// <param name="instead">Fields that say what it runs.</param>
    public static string? Problem(JsonObject overlay, string container = Names.MainContainer, string instead = "spec.run")
    {
        ArgumentNullException.ThrowIfNull(overlay);
        var spec = Spec(overlay);
        if (spec is null) return "spec.podTemplate.spec must be an object; correct it";
        if (Ours.FirstOrDefault(spec.ContainsKey) is { } field) return $"spec.podTemplate may not set {field}, which Trestle sets itself; remove it";
        if (OursInMain.FirstOrDefault(name => Main(spec, container)?.ContainsKey(name) == true) is { } word) return $"spec.podTemplate may not set {word} of the container {container}; use {instead}";
        try
        {
            var tried = Apply(overlay, new V1Pod { Metadata = new V1ObjectMeta(), Spec = new V1PodSpec { Containers = [new V1Container { Name = container }] } });
            return tried.Spec.Containers?.Any(one => one.Name == container) == true ? null : "every container of spec.podTemplate needs a name; add it";
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            return $"spec.podTemplate is no pod ({error.Message}); correct it";
        }
    }

    /// <summary>The part of an overlay that is about the pod's spec; null when it is not an object.</summary>
    public static JsonObject? Spec(JsonObject overlay)
    {
        ArgumentNullException.ThrowIfNull(overlay);
        return overlay.ContainsKey("spec") || overlay.ContainsKey("metadata") ? (overlay.TryGetPropertyValue("spec", out var spec) ? spec as JsonObject : []) : overlay;
    }

    /// <summary>The pod with an overlay that has no <see cref="Problem"/> on it.</summary>
    /// <exception cref="JsonException">The result is no pod.</exception>
    internal static V1Pod Apply(JsonObject overlay, V1Pod pod)
    {
        var body = JsonNode.Parse(KubernetesJson.Serialize(pod))!.AsObject();
        if (Spec(overlay) is { } spec) Merge(body["spec"]!.AsObject(), spec);
        var merged = KubernetesJson.Deserialize<V1Pod>(body.ToJsonString());
        merged.Metadata = pod.Metadata;
        AddMetadata(merged.Metadata, overlay["metadata"] as JsonObject);
        return merged;
    }

    private static void AddMetadata(V1ObjectMeta metadata, JsonObject? overlay)
    {
        foreach (var (name, value) in Texts(overlay, "labels").Where(label => !label.Key.StartsWith("trestle.dev/", StringComparison.Ordinal)))
            metadata.Labels = With(metadata.Labels, name, value);
        foreach (var (name, value) in Texts(overlay, "annotations")) metadata.Annotations = With(metadata.Annotations, name, value);
    }

    private static Dictionary<string, string> With(IDictionary<string, string>? known, string name, string value) =>
        new(known ?? new Dictionary<string, string>(), StringComparer.Ordinal) { [name] = value };

    private static IEnumerable<KeyValuePair<string, string>> Texts(JsonObject? from, string field) =>
        (from?[field] as JsonObject ?? []).Select(entry => KeyValuePair.Create(entry.Key, entry.Value?.ToString() ?? ""));

    private static void Merge(JsonObject onto, JsonObject overlay)
    {
        foreach (var (name, value) in overlay)
        {
            if (value is null) onto.Remove(name);
            else if (value is JsonObject fields && onto[name] is JsonObject known) Merge(known, fields);
            else if (value is JsonArray items && onto[name] is JsonArray list && Key(name, items) is { } key) MergeList(list, items, key);
            else onto[name] = value.DeepClone();
        }
    }

    // "" for lists that add up, null for lists that replace.
    private static string? Key(string list, JsonArray items) => list switch
    {
        "tolerations" => "",
        "volumeMounts" => "mountPath",
        _ => items.All(item => item is JsonObject entry && entry["name"] is JsonValue) ? "name" : null,
    };

    private static void MergeList(JsonArray onto, JsonArray items, string key)
    {
        foreach (var item in items)
        {
            if (key.Length > 0 && item is JsonObject entry && onto.OfType<JsonObject>().FirstOrDefault(known => known[key]?.ToString() == entry[key]?.ToString()) is { } same) Merge(same, entry);
            else onto.Add(item?.DeepClone());
        }
    }

    private static JsonObject? Main(JsonObject spec, string name) =>
        (spec["containers"] as JsonArray)?.OfType<JsonObject>().FirstOrDefault(container => container["name"]?.ToString() == name);
}
