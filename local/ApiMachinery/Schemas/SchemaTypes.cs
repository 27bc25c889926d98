using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>Merge types of custom resources, as the API server derives them from a structural schema.</summary>
internal static class SchemaTypes
{
    public static TypeSchema OfResource(SchemaNode root) => OfObject(root, isResource: true);

    public static TypeSchema Of(SchemaNode node)
    {
        if (node.IntOrString) return TypeSchema.Scalar;
        return node.Type switch
        {
            "object" => OfObject(node, node.EmbeddedResource),
            "array" => OfArray(node),
            "" => TypeSchema.Deduced,
            _ => new TypeSchema { Kind = NodeKind.Scalar, ScalarType = node.Type },
        };
    }

    private static TypeSchema OfObject(SchemaNode node, bool isResource)
    {
        var fields = new Dictionary<string, TypeSchema>(StringComparer.Ordinal);
        foreach (var (name, child) in node.Properties) fields[name] = Of(child);
        if (isResource)
        {
            fields["apiVersion"] = fields["kind"] = new TypeSchema { Kind = NodeKind.Scalar, ScalarType = "string" };
            fields["metadata"] = BuiltInSchemas.ObjectMeta;
        }

        return new TypeSchema
        {
            Kind = NodeKind.Map,
            IsAtomic = node.MapType == "atomic",
            Fields = fields,
            Element = node.Additional is { } additional ? Of(additional) : node.PreserveUnknown || node.AdditionalAllowed ? TypeSchema.Deduced : null,
        };
    }

    private static TypeSchema OfArray(SchemaNode node)
    {
        var list = node.ListType switch { "map" => ListKind.Map, "set" => ListKind.Set, _ => ListKind.Atomic };
        var defaults = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (var key in node.ListKeys)
            if (node.Items?.Properties.GetValueOrDefault(key) is { Default: { } value }) defaults[key] = value;
        return new TypeSchema
        {
            Kind = NodeKind.List,
            List = list,
            Keys = node.ListKeys,
            KeyDefaults = defaults,
            Element = node.Items is { } items ? Of(items) : TypeSchema.Deduced,
        };
    }
}
