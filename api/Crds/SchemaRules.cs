using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Trestle.Api.Schema;

namespace Trestle.Api.Crds;

/// <summary>Attributes of a property → keywords of its schema.</summary>
internal static class SchemaRules
{
    public static void Add(JsonObject schema, IEnumerable<ValidationRuleAttribute> rules)
    {
        foreach (var rule in rules)
        {
            var written = new JsonObject { ["rule"] = rule.Rule, ["message"] = rule.Message };
            if (rule.FieldPath is { } path)
            {
                written["fieldPath"] = path;
            }

            if (schema["x-kubernetes-validations"] is JsonArray all)
            {
                all.Add(written);
            }
            else
            {
                schema["x-kubernetes-validations"] = new JsonArray(written);
            }
        }
    }

    public static void Constrain(JsonObject schema, JsonPropertyInfo property)
    {
        if (property.All<DefaultValueAttribute>().FirstOrDefault() is { Value: int value })
        {
            schema["default"] = value;
        }

        if (property.All<RegularExpressionAttribute>().FirstOrDefault() is { } pattern)
        {
            schema["pattern"] = pattern.Pattern;
        }

        AddRange(schema, property);
        AddLengths(schema, property);
        if (property.All<ListMapKeyAttribute>().FirstOrDefault() is { } key)
        {
            schema["x-kubernetes-list-type"] = "map";
            schema["x-kubernetes-list-map-keys"] = new JsonArray(key.Key);
        }
        else if (property.Has<AtomicListAttribute>())
        {
            schema["x-kubernetes-list-type"] = "atomic";
        }
    }

    public static bool Has<T>(this JsonPropertyInfo property) where T : Attribute => property.All<T>().Any();

    public static IEnumerable<T> All<T>(this JsonPropertyInfo property) where T : Attribute =>
        property.AttributeProvider?.GetCustomAttributes(typeof(T), inherit: false).Cast<T>() ?? [];

    // On a list a range is for the items, a length for the list.
    private static void AddRange(JsonObject schema, JsonPropertyInfo property)
    {
        if (property.All<RangeAttribute>().FirstOrDefault() is not { Minimum: int least, Maximum: int most })
        {
            return;
        }

        var value = schema["items"] as JsonObject ?? schema;
        value["minimum"] = least;
        if (most != int.MaxValue)
        {
            value["maximum"] = most;
        }
    }

    private static void AddLengths(JsonObject schema, JsonPropertyInfo property)
    {
        var what = schema["type"]?.GetValue<string>() switch
        {
            "array" => "Items",
            "object" => "Properties",
            _ => "Length",
        };
        if (property.All<MinLengthAttribute>().FirstOrDefault() is { } min)
        {
            schema["min" + what] = min.Length;
        }

        if (property.All<MaxLengthAttribute>().FirstOrDefault() is { } max)
        {
            schema["max" + what] = max.Length;
        }
    }
}
