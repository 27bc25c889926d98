using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>Services: defaults as a single-stack cluster writes them. A cluster IP is a stable hash of the name, and nothing routes it.</summary>
internal static class ServiceRules
{
    public static readonly KindRules All = new() { NameIsLabel = true, ReturnsDeleted = true, Default = Default, Complete = Complete, Validate = Validate, ValidateUpdate = ValidateUpdate };

    private static void Default(JsonObject content, JsonObject? old, DateTimeOffset now)
    {
        var spec = content.Ensure("spec");
        spec.Default("type", "ClusterIP");
        spec.Default("sessionAffinity", "None");
        if (spec.Text("type") != "ExternalName") spec.Default("internalTrafficPolicy", "Cluster");
        foreach (var port in spec.Array("ports")?.OfType<JsonObject>() ?? [])
        {
            port.Default("protocol", "TCP");
            port.Default("targetPort", port["port"]?.DeepClone());
        }
    }

    private static void Complete(JsonObject content, JsonObject? old, DateTimeOffset now)
    {
        var spec = content.Ensure("spec");
        if (spec.Text("type") != "ExternalName")
        {
            if (string.IsNullOrEmpty(spec.Text("clusterIP"))) spec["clusterIP"] = old?.Object("spec").Text("clusterIP") ?? Allocate(content.Object("metadata"));
            spec.Default("clusterIPs", new JsonArray(spec.Text("clusterIP")));
            spec.Default("ipFamilies", new JsonArray("IPv4"));
            spec.Default("ipFamilyPolicy", "SingleStack");
        }

        content.Ensure("status").Default("loadBalancer", new JsonObject());
    }

    private static string Allocate(JsonObject? metadata)
    {
        var hash = 2166136261u;
        foreach (var c in metadata.Text("namespace") + "/" + metadata.Text("name")) hash = (hash ^ c) * 16777619;
        return metadata.Text("namespace") == "default" && metadata.Text("name") == "kubernetes"
            ? "10.96.0.1"
            : $"10.{97 + hash % 15}.{(hash >> 8) % 256}.{1 + (hash >> 16) % 254}";
    }

    private static IEnumerable<FieldError> Validate(JsonObject content)
    {
        var spec = content.Object("spec");
        var ports = spec.Array("ports") ?? [];
        if (ports.Count == 0 && spec.Text("clusterIP") != "None" && spec.Text("type") != "ExternalName") yield return FieldError.Required("spec.ports");
        if (spec.Text("type") is not ("ClusterIP" or "NodePort" or "LoadBalancer" or "ExternalName") and var type)
            yield return FieldError.NotSupported("spec.type", type, ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]);
        for (var i = 0; i < ports.Count; i++)
        {
            var port = ports[i] as JsonObject;
            if (port.Integer("port") is not (> 0 and < 65536) and var number) yield return FieldError.Invalid($"spec.ports[{i}].port", number ?? 0, "must be between 1 and 65535, inclusive");
            if (ports.Count > 1 && string.IsNullOrEmpty(port.Text("name"))) yield return FieldError.Required($"spec.ports[{i}].name");
        }

        foreach (var error in MetadataRules.ValidateLabels(spec?["selector"], "spec.selector")) yield return error;
    }

    private static IEnumerable<FieldError> ValidateUpdate(JsonObject old, JsonObject next)
    {
        var before = old.Object("spec").Text("clusterIP");
        var after = next.Object("spec").Text("clusterIP");
        if (before is not null && after is not null && before != after) yield return FieldError.Invalid("spec.clusterIPs[0]", new JsonArray(after), "may not change once set");
    }
}
