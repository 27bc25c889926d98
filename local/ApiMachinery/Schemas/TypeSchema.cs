using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>What a node of an object is, for merging.</summary>
public enum NodeKind
{
    /// <summary>A single value; compared and replaced whole.</summary>
    Scalar,

    /// <summary>An object: declared <see cref="TypeSchema.Fields"/>, and <see cref="TypeSchema.Element"/> for every other key.</summary>
    Map,

    /// <summary>An array; see <see cref="TypeSchema.List"/>.</summary>
    List,

    /// <summary>Unknown: objects merge by key, arrays and the rest are replaced whole.</summary>
    Deduced,
}

/// <summary>How the items of a list are told apart.</summary>
public enum ListKind
{
    /// <summary>Not at all: the list is owned and replaced whole.</summary>
    Atomic,

    /// <summary>By their values.</summary>
    Set,

    /// <summary>By their key fields.</summary>
    Map,
}

/// <summary>Describes one node of an object for pruning, strategic merge and server-side apply.</summary>
public sealed class TypeSchema
{
    /// <summary>Anything: the type of fields nobody described.</summary>
    public static TypeSchema Deduced { get; } = new() { Kind = NodeKind.Deduced };

    /// <summary>Any single value.</summary>
    public static TypeSchema Scalar { get; } = new() { Kind = NodeKind.Scalar };

    /// <summary>What the node is; the other properties belong to one kind or another.</summary>
    public required NodeKind Kind { get; init; }

    /// <summary>True when an object is owned and replaced whole.</summary>
    public bool IsAtomic { get; init; }

    /// <summary>The declared fields of an object.</summary>
    public IReadOnlyDictionary<string, TypeSchema> Fields { get; init; } = new Dictionary<string, TypeSchema>(StringComparer.Ordinal);

    /// <summary>Type of list items, of map values, or of the undeclared fields of an object; null when there may be none.</summary>
    public TypeSchema? Element { get; init; }

    /// <summary>How lists of this type merge; atomic when nothing is said.</summary>
    public ListKind List { get; init; }

    /// <summary>The fields that identify an item of a <see cref="ListKind.Map"/>.</summary>
    public IReadOnlyList<string> Keys
    {
        get;
        init
        {
            field = value;
            SortedKeys = [.. value.Order(StringComparer.Ordinal)];
        }
    } = [];

    internal IReadOnlyList<string> SortedKeys { get; private init; } = [];

    /// <summary>Values of keys that an item may leave out, such as <c>protocol: TCP</c>.</summary>
    public IReadOnlyDictionary<string, JsonNode> KeyDefaults { get; init; } = new Dictionary<string, JsonNode>(StringComparer.Ordinal);

    /// <summary>Key by which a strategic merge patch merges this list; empty means a list of scalars merged as a set; null means replace.</summary>
    public string? PatchMergeKey { get; init; }

    /// <summary>Fields a typed server always holds, even when the JSON leaves them out (Go structs that are not pointers).</summary>
    public IReadOnlySet<string> AlwaysPresent { get; init; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>For a scalar: the JSON type a typed server decodes (string, integer, number, boolean), or null for any.</summary>
    public string? ScalarType { get; init; }

    /// <summary>The type of the field or map entry <paramref name="name"/>; null when the schema has no room for it.</summary>
    public TypeSchema? Child(string name) => Kind == NodeKind.Deduced ? Deduced : Fields.GetValueOrDefault(name) ?? Element;

    /// <summary>Removes what the schema has no room for, in place.</summary>
    /// <returns>The removed paths, sorted, as strict decoding names them: <c>spec.bogus</c>, <c>spec.items[0].x</c>.</returns>
    public IReadOnlyList<string> Prune(JsonObject obj)
    {
        var unknown = new List<string>();
        Prune(obj, this, "", unknown);
        unknown.Sort(StringComparer.Ordinal);
        return unknown;
    }

    private static void Prune(JsonNode? node, TypeSchema type, string path, List<string> unknown)
    {
        if (node is JsonObject obj && type.Kind == NodeKind.Map)
        {
            List<string>? gone = null;
            foreach (var (name, value) in obj)
            {
                var child = type.Child(name);
                var childPath = path.Length == 0 ? name : path + "." + name;
                if (child is null) (gone ??= []).Add(name);
                else if (value is not null) Prune(value, child, childPath, unknown);
            }

            foreach (var name in gone ?? [])
            {
                obj.Remove(name);
                unknown.Add(path.Length == 0 ? name : path + "." + name);
            }
        }
        else if (node is JsonArray list && type.Kind == NodeKind.List && type.Element is { Kind: not NodeKind.Scalar } element)
        {
            for (var i = 0; i < list.Count; i++) Prune(list[i], element, $"{path}[{i}]", unknown);
        }
    }

    /// <summary>Does what decoding into a typed server does to nulls: drops null fields, in place.</summary>
    public static void DropNulls(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject obj:
                foreach (var name in obj.Where(p => p.Value is null).Select(p => p.Key).ToList()) obj.Remove(name);
                foreach (var (_, value) in obj) DropNulls(value);
                break;
            case JsonArray list:
                foreach (var item in list) DropNulls(item);
                break;
        }
    }

    /// <summary>Type errors a typed server would refuse while decoding, such as <c>spec.nodeName: expected string, got number</c>.</summary>
    public IReadOnlyList<string> TypeErrors(JsonObject obj)
    {
        var errors = new List<string>();
        CheckTypes(obj, this, "", errors);
        return errors;
    }

    private static void CheckTypes(JsonNode? node, TypeSchema type, string path, List<string> errors)
    {
        if (node is null || type.Kind == NodeKind.Deduced) return;
        var actual = JsonKinds.Name(node);
        var expected = type.Kind switch { NodeKind.Map => "object", NodeKind.List => "array", _ => type.ScalarType };
        if (expected is not null && expected != actual && !(expected == "number" && actual == "integer"))
        {
            errors.Add($"{path}: expected {expected}, got {actual}");
            return;
        }

        if (node is JsonObject obj)
        {
            foreach (var (name, value) in obj)
                if (type.Child(name) is { } child) CheckTypes(value, child, path.Length == 0 ? name : path + "." + name, errors);
        }
        else if (node is JsonArray list && type.Element is { } element)
        {
            for (var i = 0; i < list.Count; i++) CheckTypes(list[i], element, $"{path}[{i}]", errors);
        }
    }
}
