using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>Columns of <c>kubectl get</c> for the small kinds.</summary>
internal static class CoreColumns
{
    public static readonly IReadOnlyList<TableColumn> ConfigMap =
        [Columns.Name, Columns.Number("Data", o => (o.Object("data")?.Count ?? 0) + (o.Object("binaryData")?.Count ?? 0)), Columns.Age];

    public static readonly IReadOnlyList<TableColumn> Secret =
        [Columns.Name, Columns.Text("Type", o => o.Text("type")), Columns.Number("Data", o => o.Object("data")?.Count ?? 0), Columns.Age];

    public static readonly IReadOnlyList<TableColumn> Namespace = [Columns.Name, Columns.Text("Status", o => o.TextAt("status.phase")), Columns.Age];

    public static readonly IReadOnlyList<TableColumn> ServiceAccount = [Columns.Name, Columns.Number("Secrets", o => o.Array("secrets")?.Count ?? 0), Columns.Age];

    public static readonly IReadOnlyList<TableColumn> Endpoints = [Columns.Name, Columns.Text("Endpoints", ShowEndpoints), Columns.Age];

    public static readonly IReadOnlyList<TableColumn> Lease = [Columns.Name, Columns.Text("Holder", o => o.TextAt("spec.holderIdentity")), Columns.Age];

    public static readonly IReadOnlyList<TableColumn> Crd =
        [Columns.Name, new("Created At", "date", "", 0, (o, _) => o.Object("metadata").Text("creationTimestamp"))];

    public static readonly IReadOnlyList<TableColumn> Default = Crd;

    public static readonly IReadOnlyList<TableColumn> Claim =
    [
        Columns.Name,
        Columns.Text("Status", o => o.TextAt("status.phase")),
        Columns.Text("Volume", o => o.TextAt("spec.volumeName")),
        Columns.Text("Capacity", o => o.TextAt("status.capacity.storage")),
        Columns.Text("Access Modes", o => string.Join(',', (o.Object("spec").Array("accessModes") ?? []).Select(m => m.AsText()))),
        Columns.Text("StorageClass", o => o.TextAt("spec.storageClassName")),
        Columns.Age,
    ];

    public static readonly IReadOnlyList<TableColumn> Service =
    [
        Columns.Name,
        Columns.Text("Type", o => o.TextAt("spec.type")),
        Columns.Text("Cluster-IP", o => Columns.OrNone(o.TextAt("spec.clusterIP"))),
        Columns.Text("External-IP", o => Columns.OrNone(o.TextAt("spec.externalName"))),
        Columns.Text("Port(s)", ShowPorts),
        Columns.Age,
        Columns.Text("Selector", o => Columns.Selector(o.Object("spec").Object("selector")), 1),
    ];

    public static readonly IReadOnlyList<TableColumn> Event =
    [
        new("Last Seen", "string", "", 0, (o, now) => Columns.AgeOf(LastSeen(o), now)),
        Columns.Text("Type", o => o.Text("type")),
        Columns.Text("Reason", o => o.Text("reason")),
        Columns.Text("Object", o => $"{o.TextAt("involvedObject.kind").ToLowerInvariant()}/{o.TextAt("involvedObject.name")}"),
        Columns.Text("Subobject", o => o.TextAt("involvedObject.fieldPath"), 1),
        Columns.Text("Source", o => o.TextAt("source.component") is { Length: > 0 } source ? source : o.Text("reportingComponent"), 1),
        Columns.Text("Message", o => o.Text("message")?.Trim()),
        new("First Seen", "string", "", 1, (o, now) => Columns.AgeOf(o.Text("firstTimestamp") ?? o.Text("eventTime"), now)),
        Columns.Number("Count", o => o.Integer("count") ?? 1, 1),
        Columns.Name with { Priority = 1 },
    ];

    private static string? LastSeen(JsonObject o) => o.Object("series").Text("lastObservedTime") ?? o.Text("lastTimestamp") ?? o.Text("eventTime") ?? o.Object("metadata").Text("creationTimestamp");

    private static string ShowPorts(JsonObject service) =>
        Columns.OrNone(string.Join(',', (service.Object("spec").Array("ports") ?? []).OfType<JsonObject>()
            .Select(p => p.Integer("nodePort") is > 0 and var node ? $"{p.Integer("port")}:{node}/{p.Text("protocol")}" : $"{p.Integer("port")}/{p.Text("protocol")}")));

    private static string ShowEndpoints(JsonObject endpoints)
    {
        var all = (endpoints.Array("subsets") ?? []).OfType<JsonObject>()
            .SelectMany(s => (s.Array("addresses") ?? []).OfType<JsonObject>().SelectMany(a => (s.Array("ports") ?? []).OfType<JsonObject>().Select(p => $"{a.Text("ip")}:{p.Integer("port")}")))
            .ToArray();
        var shown = string.Join(',', all.Take(3));
        return Columns.OrNone(all.Length > 3 ? $"{shown} + {all.Length - 3} more..." : shown);
    }
}
