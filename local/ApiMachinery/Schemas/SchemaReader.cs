using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Trestle.Local.ApiMachinery;

/// <summary>Reads a CRD's <c>openAPIV3Schema</c> and refuses what is not structural, collecting every error.</summary>
internal sealed class SchemaReader(List<FieldError> errors)
{
    private const int MaxDepth = 64;
    private static readonly string[] Types = ["array", "boolean", "integer", "number", "object", "string"];

    /// <summary>Reads the schema of a whole resource.</summary>
    public SchemaNode ReadRoot(JsonObject schema, string path)
    {
        var root = Read(schema, path, Position.Root, 0);
        if (root.Type.Length > 0 && root.Type != "object") errors.Add(FieldError.Invalid(path + ".type", root.Type, "must be object at the root"));
        return root;
    }

    private enum Position { Root, Field, Item, ValueOnly }

    private SchemaNode Read(JsonObject schema, string path, Position position, int depth)
    {
        if (depth > MaxDepth)
        {
            errors.Add(FieldError.Invalid(path, FieldError.Omitted, $"must not be nested deeper than {MaxDepth} levels"));
            return new SchemaNode();
        }

        var node = new SchemaNode
        {
            Type = Text(schema, "type"),
            Format = Text(schema, "format"),
            Nullable = JsonKinds.IsTrue(schema["nullable"]),
            PreserveUnknown = JsonKinds.IsTrue(schema["x-kubernetes-preserve-unknown-fields"]),
            IntOrString = JsonKinds.IsTrue(schema["x-kubernetes-int-or-string"]),
            EmbeddedResource = JsonKinds.IsTrue(schema["x-kubernetes-embedded-resource"]),
            ListType = Text(schema, "x-kubernetes-list-type"),
            MapType = Text(schema, "x-kubernetes-map-type"),
            ListKeys = Strings(schema, "x-kubernetes-list-map-keys"),
            Properties = ReadProperties(schema, path, position, depth),
            Required = Strings(schema, "required"),
            Additional = schema["additionalProperties"] is JsonObject more ? Read(more, path + ".additionalProperties", Nested(position), depth + 1) : null,
            AdditionalAllowed = JsonKinds.IsTrue(schema["additionalProperties"]),
            Items = schema["items"] is JsonObject items ? Read(items, path + ".items", position == Position.ValueOnly ? position : Position.Item, depth + 1) : null,
            HasDefault = schema.ContainsKey("default"),
            Default = schema["default"],
            Enum = schema["enum"] as JsonArray,
            Minimum = Number(schema, "minimum"),
            Maximum = Number(schema, "maximum"),
            ExclusiveMinimum = JsonKinds.IsTrue(schema["exclusiveMinimum"]),
            ExclusiveMaximum = JsonKinds.IsTrue(schema["exclusiveMaximum"]),
            MultipleOf = Number(schema, "multipleOf"),
            MinLength = Count(schema, "minLength"),
            MaxLength = Count(schema, "maxLength"),
            MinItems = Count(schema, "minItems"),
            MaxItems = Count(schema, "maxItems"),
            MinProperties = Count(schema, "minProperties"),
            MaxProperties = Count(schema, "maxProperties"),
            UniqueItems = JsonKinds.IsTrue(schema["uniqueItems"]),
            Pattern = Text(schema, "pattern"),
            PatternRegex = ReadPattern(schema, path),
            AllOf = ReadAll(schema, "allOf", path, depth),
            AnyOf = ReadAll(schema, "anyOf", path, depth),
            OneOf = ReadAll(schema, "oneOf", path, depth),
            Not = schema["not"] is JsonObject not ? Read(not, path + ".not", Position.ValueOnly, depth + 1) : null,
            Rules = ReadRules(schema, path),
        };
        Check(schema, node, path, position);
        return node;
    }

    private static Position Nested(Position position) => position == Position.ValueOnly ? position : Position.Field;

    private Dictionary<string, SchemaNode> ReadProperties(JsonObject schema, string path, Position position, int depth)
    {
        var properties = new Dictionary<string, SchemaNode>(StringComparer.Ordinal);
        foreach (var (name, value) in schema["properties"] as JsonObject ?? [])
        {
            var here = $"{path}.properties[{name}]";
            if (value is JsonObject child) properties[name] = Read(child, here, Nested(position), depth + 1);
            else errors.Add(FieldError.Required(here, "must be a schema"));
        }

        return properties;
    }

    private List<SchemaNode> ReadAll(JsonObject schema, string name, string path, int depth) =>
        (schema[name] as JsonArray ?? []).OfType<JsonObject>().Select((s, i) => Read(s, $"{path}.{name}[{i}]", Position.ValueOnly, depth + 1)).ToList();

    private List<RuleText> ReadRules(JsonObject schema, string path)
    {
        var rules = new List<RuleText>();
        foreach (var item in schema["x-kubernetes-validations"] as JsonArray ?? [])
        {
            if (item is not JsonObject rule) continue;
            var optional = rule["optionalOldSelf"] is null ? (bool?)null : JsonKinds.IsTrue(rule["optionalOldSelf"]);
            rules.Add(new RuleText(Text(rule, "rule"), Text(rule, "message"), Text(rule, "messageExpression"), JsonKinds.Text(rule["reason"]), Text(rule, "fieldPath"), optional));
            var here = $"{path}.x-kubernetes-validations[{rules.Count - 1}]";
            if (rules[^1].Rule.Trim().Length == 0) errors.Add(FieldError.Required(here + ".rule", "rule is not specified"));
            if (rules[^1].Message.Contains('\n', StringComparison.Ordinal)) errors.Add(FieldError.Invalid(here + ".message", rules[^1].Message, "message must not contain line breaks"));
            if (rules[^1].Reason is { } reason and not ("FieldValueInvalid" or "FieldValueForbidden" or "FieldValueRequired" or "FieldValueDuplicate"))
                errors.Add(FieldError.NotSupported(here + ".reason", reason, ["FieldValueRequired", "FieldValueInvalid", "FieldValueForbidden", "FieldValueDuplicate"]));
        }

        return rules;
    }

    private Regex? ReadPattern(JsonObject schema, string path)
    {
        var pattern = Text(schema, "pattern");
        if (pattern.Length == 0) return null;
        try
        {
            return GoRegex.Compile(pattern);
        }
        catch (ArgumentException e)
        {
            errors.Add(FieldError.Invalid(path + ".pattern", pattern, "must be a valid regular expression, but isn't: " + e.Message));
            return null;
        }
    }

    private void Check(JsonObject schema, SchemaNode node, string path, Position position)
    {
        if (position == Position.ValueOnly)
        {
            foreach (var name in new[] { "type", "default", "additionalProperties", "nullable", "title", "description" })
                if (schema.ContainsKey(name) && !(name == "type" && IsIntOrStringBranch(node))) errors.Add(FieldError.Forbidden($"{path}.{name}", "must be empty to be structural"));
            return;
        }

        CheckType(node, path, position);
        if (node.Properties.Count > 0 && schema["additionalProperties"] is not null)
            errors.Add(FieldError.Forbidden(path + ".additionalProperties", "additionalProperties and properties are mutual exclusive"));
        if (schema["additionalProperties"] is JsonValue allowed && !JsonKinds.IsTrue(allowed))
            errors.Add(FieldError.Forbidden(path + ".additionalProperties", "additionalProperties cannot be set to false"));
        if (node.Type == "array" && node.Items is null) errors.Add(FieldError.Required(path + ".items", "must be specified"));
        if (node.UniqueItems) errors.Add(FieldError.Forbidden(path + ".uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"));
        if (schema.ContainsKey("$ref")) errors.Add(FieldError.Forbidden(path + ".$ref", "$ref is not supported"));
        CheckList(node, path);
    }

    private static bool IsIntOrStringBranch(SchemaNode node) => node.Type is "integer" or "string";

    private void CheckType(SchemaNode node, string path, Position position)
    {
        if (node.Type.Length > 0)
        {
            if (!Types.Contains(node.Type)) errors.Add(FieldError.NotSupported(path + ".type", node.Type, Types));
            if (node.IntOrString) errors.Add(FieldError.Invalid(path + ".type", node.Type, "must be empty if x-kubernetes-int-or-string is true"));
            return;
        }

        if (node.IntOrString || node.PreserveUnknown) return;
        errors.Add(FieldError.Required(path + ".type", position switch
        {
            Position.Root => "must not be empty at the root",
            Position.Item => "must not be empty for specified array items",
            _ => "must not be empty for specified object fields",
        }));
    }

    private void CheckList(SchemaNode node, string path)
    {
        if (node.ListType.Length > 0 && node.Type != "array")
            errors.Add(FieldError.Invalid(path + ".type", node.Type, "must be array if x-kubernetes-list-type is specified"));
        if (node.ListType is not ("" or "atomic" or "set" or "map"))
            errors.Add(FieldError.NotSupported(path + ".x-kubernetes-list-type", node.ListType, ["atomic", "map", "set"]));
        if (node.ListType != "map") return;
        if (node.ListKeys.Count == 0) errors.Add(FieldError.Required(path + ".x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"));
        if (node.Items is not { Type: "object" } items)
        {
            errors.Add(FieldError.Invalid(path + ".items.type", node.Items?.Type ?? "", "must be object if parent array's x-kubernetes-list-type is map"));
            return;
        }

        for (var i = 0; i < node.ListKeys.Count; i++)
        {
            var key = node.ListKeys[i];
            if (!items.Properties.TryGetValue(key, out var property))
                errors.Add(FieldError.Invalid($"{path}.x-kubernetes-list-map-keys[{i}]", key, "entries must all be names of item properties"));
            else if (!items.Required.Contains(key) && !property.HasDefault)
                errors.Add(FieldError.Required($"{path}.items.properties[{key}].default", "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"));
        }
    }

    private static string Text(JsonObject schema, string name) => JsonKinds.Text(schema[name]) ?? "";

    private static double? Number(JsonObject schema, string name) => JsonKinds.TryNumber(schema[name], out var value) ? value : null;

    private static long? Count(JsonObject schema, string name) => JsonKinds.TryInteger(schema[name], out var value) ? value : null;

    private static List<string> Strings(JsonObject schema, string name) =>
        (schema[name] as JsonArray ?? []).Select(v => JsonKinds.Text(v) ?? "").ToList();
}
