using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>Column makers and readers shared by the kinds.</summary>
internal static class Columns
{
    public static readonly TableColumn Name = new("Name", "string", "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names", 0, (o, _) => o.Object("metadata").Text("name"), "name");
    public static readonly TableColumn Age = new("Age", "string", "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata", 0, (o, now) => AgeOf(o.Object("metadata").Text("creationTimestamp"), now));

    public static TableColumn Text(string name, Func<JsonObject, string?> read, int priority = 0, string type = "string") =>
        new(name, type, "", priority, (o, _) => read(o));

    public static TableColumn Number(string name, Func<JsonObject, long> read, int priority = 0) => new(name, "integer", "", priority, (o, _) => read(o));

    public static string AgeOf(string? time, DateTimeOffset now) => Timestamp.Parse(time) is { } at ? Timestamp.Age(now - at) : "<unknown>";

    public static string OrNone(string? text) => string.IsNullOrEmpty(text) ? "<none>" : text;

    public static string OrUnknown(string? text) => string.IsNullOrEmpty(text) ? "<unknown>" : text;

    public static JsonObject? Condition(JsonObject content, string type) =>
        (content.Object("status").Array("conditions") ?? []).OfType<JsonObject>().FirstOrDefault(c => c.Text("type") == type);

    public static string Selector(JsonObject? labels) => OrNone(string.Join(',', (labels ?? []).OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value.AsText()}")));

    public static string ContainerNames(JsonObject content, string field) =>
        string.Join(',', (content.Object("spec").Object("template").Object("spec").Array("containers") ?? []).OfType<JsonObject>().Select(c => c.Text(field)));
}
