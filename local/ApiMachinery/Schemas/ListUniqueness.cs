using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>Reports repeated items of lists of type set and map.</summary>
internal static class ListUniqueness
{
    public static void Check(JsonNode? value, SchemaNode schema, string path, List<FieldError> errors)
    {
        switch (value)
        {
            case JsonObject obj:
                foreach (var (name, child) in obj)
                {
                    if (child is not (JsonObject or JsonArray)) continue;
                    if ((schema.Properties.GetValueOrDefault(name) ?? schema.Additional) is { } type) Check(child, type, SchemaValidator.Join(path, name), errors);
                }

                break;
            case JsonArray list:
                CheckItems(list, schema, path, errors);
                if (schema.Items is null) break;
                for (var i = 0; i < list.Count; i++) Check(list[i], schema.Items, $"{path}[{i}]", errors);
                break;
        }
    }

    private static void CheckItems(JsonArray list, SchemaNode schema, string path, List<FieldError> errors)
    {
        if (schema.ListType is not ("set" or "map")) return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            var key = schema.ListType == "set" ? list[i]?.ToJsonString() ?? "null" : list[i] is JsonObject obj ? ListCorrelation.Key(obj, schema.ListKeys) : null;
            if (key is null || seen.Add(key)) continue;
            errors.Add(FieldError.Duplicate($"{path}[{i}]", list[i] is JsonObject item && schema.ListType == "map" ? ListCorrelation.Identity(item, schema.ListKeys) : list[i]));
        }
    }
}
