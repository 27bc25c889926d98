using System.Globalization;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>One entry of <c>metadata.managedFields</c>.</summary>
internal sealed record ManagedEntry(string Manager, string Operation, string ApiVersion, string? Subresource, string? Time, FieldSet Fields)
{
    /// <summary>The same operation of the same manager. An applier is the same whatever version it speaks.</summary>
    public bool IsSameAs(ManagedEntry other) =>
        Manager == other.Manager && Operation == other.Operation && (Subresource ?? "") == (other.Subresource ?? "")
        && (Operation == "Apply" || ApiVersion == other.ApiVersion);

    /// <summary>The manager as conflict messages print it.</summary>
    public string Display
    {
        get
        {
            var text = FieldError.Quote(Manager);
            if (!string.IsNullOrEmpty(Subresource)) text += $" with subresource {FieldError.Quote(Subresource)}";
            return Operation == "Update" ? $"{text} using {ApiVersion}" : text;
        }
    }

    public static string Format(DateTimeOffset now) => now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static List<ManagedEntry> ReadAll(JsonObject? obj)
    {
        var entries = new List<ManagedEntry>();
        foreach (var item in (obj?["metadata"] as JsonObject)?["managedFields"] as JsonArray ?? [])
        {
            if (item is not JsonObject entry || JsonKinds.Text(entry["operation"]) is not ("Apply" or "Update") || entry["fieldsV1"] is not JsonObject fields) continue;
            var subresource = JsonKinds.Text(entry["subresource"]);
            entries.Add(new ManagedEntry(
                JsonKinds.Text(entry["manager"]) ?? "", JsonKinds.Text(entry["operation"])!, JsonKinds.Text(entry["apiVersion"]) ?? "",
                string.IsNullOrEmpty(subresource) ? null : subresource, JsonKinds.Text(entry["time"]), FieldSet.FromJson(fields)));
        }

        return entries;
    }

    /// <summary>Writes the entries in the server's order (operation, time, manager, version, subresource); none removes the field.</summary>
    public static void WriteAll(JsonObject obj, IEnumerable<ManagedEntry> entries)
    {
        var sorted = entries.Where(e => !e.Fields.IsEmpty)
            .OrderBy(e => e.Operation, StringComparer.Ordinal).ThenBy(e => e.Time ?? "", StringComparer.Ordinal)
            .ThenBy(e => e.Manager, StringComparer.Ordinal).ThenBy(e => e.ApiVersion, StringComparer.Ordinal)
            .ThenBy(e => e.Subresource ?? "", StringComparer.Ordinal)
            .Select(e => (JsonNode)e.ToJson()).ToArray();
        if (obj["metadata"] is not JsonObject metadata) obj["metadata"] = metadata = [];
        if (sorted.Length == 0) metadata.Remove("managedFields");
        else metadata["managedFields"] = new JsonArray(sorted);
    }

    private JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["apiVersion"] = ApiVersion,
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = Fields.ToJson(),
            ["manager"] = Manager,
            ["operation"] = Operation,
        };
        if (Subresource is not null) json["subresource"] = Subresource;
        if (Time is not null) json["time"] = Time;
        return json;
    }
}
