using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using k8s.Models;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Crds;

/// <summary>
/// The OpenAPI schema of a type, walked over the same source-generated context that the wire uses, so that schema and
/// serializer can't disagree.
/// </summary>
public sealed class SchemaBuilder(XmlDocs docs)
{
    // CEL's cost estimate needs a bound on every text that a rule may see.
    private const int MaxItemLength = 1024;

    /// <summary>The schema of an object type.</summary>
    public JsonObject Build(Type type)
    {
        var schema = new JsonObject { ["type"] = "object" };
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var property in TypeInfo(type).Properties)
        {
            properties[property.Name] = Property(type, property);
            if (property.Has<RequiredAttribute>())
            {
                required.Add(property.Name);
            }
        }

        if (required.Count > 0)
        {
            schema["required"] = required;
        }

        if (properties.Count > 0)
        {
            schema["properties"] = properties;
        }

        SchemaRules.Add(schema, type.GetCustomAttributes<ValidationRuleAttribute>(inherit: false));
        return schema;
    }

    private JsonObject Property(Type owner, JsonPropertyInfo property)
    {
        var schema = new JsonObject();
        var member = (MemberInfo)property.AttributeProvider!;
        if ((docs.Of(owner, member.Name) ?? docs.Of(property.PropertyType)) is { } description)
        {
            schema["description"] = description;
        }

        var shape = Shape(property);
        foreach (var (key, value) in shape.ToArray())
        {
            shape.Remove(key);
            schema[key] = value;
        }

        SchemaRules.Constrain(schema, property);
        var rules = property.All<ValidationRuleAttribute>().ToArray();
        SchemaRules.Add(schema, rules.Where(rule => !rule.OnItems));
        if (schema["items"] is JsonObject items)
        {
            SchemaRules.Add(items, rules.Where(rule => rule.OnItems));
        }

        if (property.All<ImmutableAttribute>().FirstOrDefault() is { } immutable)
        {
            ImmutabilityRules.Add(schema, property.Name, immutable);
        }

        return schema;
    }

    private JsonObject Shape(JsonPropertyInfo property)
    {
        if (property.All<PreserveUnknownFieldsAttribute>().FirstOrDefault() is { } preserve)
        {
            return preserve.AnyType
                ? new JsonObject { ["x-kubernetes-preserve-unknown-fields"] = true }
                : new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
        }

        return Shape(property.PropertyType, property);
    }

    private JsonObject Shape(Type declared, JsonPropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        if (type == typeof(string))
        {
            return TextShape(property);
        }

        if (type.IsEnum)
        {
            return new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. EnumNames(type).Select(name => (JsonNode)name)]) };
        }

        if ((Primitive(type) ?? Borrowed(type)) is { } known)
        {
            return known;
        }

        var info = TypeInfo(type);
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => new JsonObject { ["type"] = "array", ["items"] = Item(info.ElementType!, property) },
            JsonTypeInfoKind.Dictionary => new JsonObject { ["type"] = "object", ["additionalProperties"] = Item(info.ElementType!, property) },
            JsonTypeInfoKind.Object => Build(type),
            _ => throw new InvalidOperationException($"no schema for {type} of {property.Name}"),
        };
    }

    private JsonObject Item(Type type, JsonPropertyInfo property)
    {
        var item = Shape(type, property);
        if (type == typeof(string) && item["maxLength"] is null)
        {
            item["maxLength"] = MaxItemLength;
        }

        return item;
    }

    private static JsonObject TextShape(JsonPropertyInfo property)
    {
        if (property.Has<DurationTextAttribute>())
        {
            var duration = new JsonObject { ["type"] = "string", ["maxLength"] = Duration.MaxLength };
            SchemaRules.Add(duration, [new ValidationRuleAttribute($"self.matches('{Duration.Pattern}')", "must be a duration such as 30s, 10m or 1h30m")]);
            return duration;
        }

        var quantity = property.Has<QuantityTextAttribute>();
        if (!quantity && !property.Has<IntOrStringAttribute>())
        {
            return new JsonObject { ["type"] = "string" };
        }

        return new JsonObject
        {
            ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "integer" }, new JsonObject { ["type"] = "string" }),
            ["x-kubernetes-int-or-string"] = true,
            ["maxLength"] = Quantity.MaxLength,
            ["pattern"] = quantity ? Quantity.Pattern : "^[0-9]{1,6}%?$",
        };
    }

    private static JsonObject? Primitive(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Int32 => new JsonObject { ["type"] = "integer", ["format"] = "int32" },
        TypeCode.Int64 => new JsonObject { ["type"] = "integer", ["format"] = "int64" },
        TypeCode.Boolean => new JsonObject { ["type"] = "boolean" },
        TypeCode.DateTime => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
        _ => null,
    };

    // Types of Kubernetes itself: the server knows metadata, and asks less of conditions than its own documents say.
    private static JsonObject? Borrowed(Type type) =>
        type == typeof(V1ObjectMeta) ? new JsonObject { ["type"] = "object" }
        : type == typeof(V1Condition) ? Condition()
        : null;

    private static JsonObject Condition() => new()
    {
        ["type"] = "object",
        ["required"] = new JsonArray("type", "status"),
        ["properties"] = new JsonObject
        {
            ["type"] = new JsonObject { ["type"] = "string", ["maxLength"] = 317 },
            ["status"] = new JsonObject { ["type"] = "string", ["enum"] = new JsonArray("True", "False", "Unknown") },
            ["reason"] = new JsonObject { ["type"] = "string" },
            ["message"] = new JsonObject { ["type"] = "string" },
            ["lastTransitionTime"] = new JsonObject { ["type"] = "string", ["format"] = "date-time" },
            ["observedGeneration"] = new JsonObject { ["type"] = "integer", ["format"] = "int64" },
        },
    };

    private static IEnumerable<string> EnumNames(Type type) => type.GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? field.Name);

    private static JsonTypeInfo TypeInfo(Type type) =>
        TrestleJson.Default.GetTypeInfo(type) ?? throw new InvalidOperationException($"{type} is not in the JSON context");
}
