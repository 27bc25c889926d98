using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>Fills defaults into an object and drops nulls where the schema has none, in place.</summary>
internal static class Defaulting
{
    public static void Apply(JsonNode? node, SchemaNode schema)
    {
        switch (node)
        {
            case JsonObject obj:
                foreach (var (name, property) in schema.Properties)
                {
                    if (obj.TryGetPropertyValue(name, out var value) && (value is not null || property.Nullable)) continue;
                    if (property.HasDefault && (property.Default is not null || property.Nullable)) obj[name] = property.Default?.DeepClone();
                    else obj.Remove(name);
                }

                if (schema.Properties.Count == 0 && schema.Additional is null) return;
                foreach (var (name, value) in obj.ToList())
                {
                    if ((schema.Properties.GetValueOrDefault(name) ?? schema.Additional) is not { } child) continue;
                    if (value is not null) Apply(value, child);
                    else if (!child.Nullable && child.HasDefault) obj[name] = child.Default?.DeepClone();
                    else if (!child.Nullable) obj.Remove(name);
                }

                break;
            case JsonArray list when schema.Items is { } items:
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is null && !items.Nullable && items.HasDefault) list[i] = items.Default?.DeepClone();
                    Apply(list[i], items);
                }

                break;
        }
    }
}
