namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>
/// CEL types of schema nodes with size bounds, after k8s.io/apiserver <c>cel/common/schemas.go</c>: where a schema gives no bound,
/// the bound is what fits into the largest request (3 MiB).
/// A scalar of the schema has no size there; so it is here, that the same rules pass.
/// </summary>
internal sealed class SchemaCelTypes
{
    public const long MaxRequestBytes = 3 * 1024 * 1024;

    private readonly Dictionary<(SchemaNode, bool), CelType?> cache = [];

    /// <summary>The type, or null when the node is not exposed to rules (unknown content).</summary>
    public CelType? Of(SchemaNode node, bool isResource)
    {
        if (!cache.TryGetValue((node, isResource), out var type)) cache[(node, isResource)] = type = Make(node, isResource);
        return type;
    }

    private CelType? Make(SchemaNode node, bool isResource)
    {
        if (node.IntOrString) return CelType.Dyn with { Size = Bound(node.MaxLength * 4, MaxRequestBytes - 2), MinSerialized = 1 };
        return node.Type switch
        {
            "array" => MakeList(node),
            "object" => MakeObject(node, isResource),
            "string" => MakeString(node),
            "boolean" => CelType.Bool with { Size = 0 },
            "integer" => CelType.Int with { Size = 0 },
            "number" => CelType.Double with { Size = 0 },
            _ => null,
        };
    }

    private CelType? MakeList(SchemaNode node)
    {
        if (node.Items is null || Of(node.Items, node.Items.EmbeddedResource) is not { } item) return null;
        return CelType.ListOf(item, Bound(node.MaxItems, (MaxRequestBytes - 2) / (item.MinSerialized + 1)));
    }

    private CelType? MakeObject(SchemaNode node, bool isResource)
    {
        if (node.Additional is { } additional)
        {
            return Of(additional, additional.EmbeddedResource) is { } value
                ? CelType.MapOf(value, Bound(node.MaxProperties, (MaxRequestBytes - 2) / (value.MinSerialized + 6))) with { KeySize = 0 }
                : null;
        }

        var fields = new Dictionary<string, CelType>(StringComparer.Ordinal);
        long min = 2;
        foreach (var (name, property) in node.Properties)
        {
            if (Of(property, property.EmbeddedResource) is not { } type) continue;
            if (CelNames.Escape(name) is { } escaped) fields[escaped] = type;
            if (node.Required.Contains(name) && !property.HasDefault) min += name.Length + type.MinSerialized + 4;
        }

        if (isResource)
        {
            var text = CelType.String with { Size = (ulong)MaxRequestBytes - 2 };
            fields["apiVersion"] = fields["kind"] = text;
            fields["metadata"] = new CelType(CelKind.Object) { Size = 0, Fields = new Dictionary<string, CelType>(StringComparer.Ordinal) { ["name"] = text, ["generateName"] = text } };
        }

        return new CelType(CelKind.Object) { Fields = fields, Size = 0, MinSerialized = min };
    }

    private static CelType MakeString(SchemaNode node) => node.Format switch
    {
        "byte" => CelType.Bytes with { Size = Bound(node.MaxLength, MaxRequestBytes - 2) },
        "duration" => CelType.Duration with { Size = 32 },
        "date" => CelType.Timestamp with { Size = 12, MinSerialized = 12 },
        "date-time" => CelType.Timestamp with { Size = 37 },
        _ => CelType.String with
        {
            Size = node.MaxLength is null && node.Enum is { Count: > 0 } values
                ? (ulong)values.Max(v => JsonKinds.Text(v)?.Length ?? 0)
                : Bound(node.MaxLength * 4, MaxRequestBytes - 2),
        },
    };

    private static ulong Bound(long? given, long fallback) => (ulong)Math.Max(0, given ?? fallback);
}
