using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>Reads the table of built-in types; its first lines explain the notation.</summary>
internal sealed class BuiltInTable
{
    private static readonly Dictionary<string, string?> Scalars = new(StringComparer.Ordinal)
    {
        ["str"] = "string",
        ["int"] = "integer",
        ["num"] = "number",
        ["bool"] = "boolean",
        ["scalar"] = null,
    };

    private readonly Dictionary<string, string> lines = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TypeSchema> types = new(StringComparer.Ordinal);

    public TypeSchema? Get(string name) => types.GetValueOrDefault(name) ?? (lines.TryGetValue(name, out var line) ? types[name] = ParseStruct(name, line) : null);

    public static BuiltInTable Load()
    {
        using var stream = typeof(BuiltInTable).Assembly.GetManifestResourceStream("core.schema")
            ?? throw new InvalidOperationException("The table of built-in types is not embedded.");
        using var reader = new StreamReader(stream);
        var table = new BuiltInTable();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#') continue;
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            table.lines.Add(line[..colon], line[(colon + 1)..]);
        }

        foreach (var name in table.lines.Keys) table.Get(name);
        return table;
    }

    private TypeSchema ParseStruct(string name, string line)
    {
        var fields = new Dictionary<string, TypeSchema>(StringComparer.Ordinal);
        var present = new HashSet<string>(StringComparer.Ordinal);
        foreach (var group in line.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var words = group.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var type = ParseType(words[0]);
            foreach (var word in words.Skip(1))
            {
                var field = word.TrimEnd('!');
                fields.Add(field, type);
                if (field.Length < word.Length) present.Add(field);
            }
        }

        if (fields.ContainsKey("metadata") && name is not ("PodTemplateSpec" or "JobTemplateSpec"))
            fields["apiVersion"] = fields["kind"] = new TypeSchema { Kind = NodeKind.Scalar, ScalarType = "string" };
        return new TypeSchema { Kind = NodeKind.Map, Fields = fields, AlwaysPresent = present };
    }

    private TypeSchema ParseType(string text)
    {
        if (Scalars.TryGetValue(text, out var scalar)) return new TypeSchema { Kind = NodeKind.Scalar, ScalarType = scalar };
        if (text == "any") return TypeSchema.Deduced;
        return text[0] switch
        {
            '~' => Atomic(text[1..]),
            '<' => new TypeSchema { Kind = NodeKind.Map, IsAtomic = text[1] == '!', Element = ParseType(text.Trim('<', '!', '>')) },
            '{' => new TypeSchema { Kind = NodeKind.List, List = ListKind.Set, Element = ParseType(text[2..]), PatchMergeKey = "" },
            '[' => ParseList(text),
            _ => Get(text) ?? throw new InvalidOperationException($"The table of built-in types names '{text}' and does not describe it."),
        };
    }

    private TypeSchema Atomic(string name)
    {
        if (name == "any") return new TypeSchema { Kind = NodeKind.Map, IsAtomic = true, Element = TypeSchema.Deduced };
        var type = ParseType(name);
        return new TypeSchema { Kind = NodeKind.Map, IsAtomic = true, Fields = type.Fields, Element = type.Element };
    }

    private TypeSchema ParseList(string text)
    {
        var close = text.IndexOf(']', StringComparison.Ordinal);
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var keys = new List<string>();
        var defaults = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (var key in text[1..close].Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = key.Split('=');
            keys.Add(parts[0]);
            if (parts.Length > 1) defaults[parts[0]] = parts[1];
        }

        return new TypeSchema
        {
            Kind = NodeKind.List,
            List = keys.Count > 0 ? ListKind.Map : ListKind.Atomic,
            Keys = keys,
            KeyDefaults = defaults,
            Element = ParseType(at < 0 ? text[(close + 1)..] : text[(close + 1)..at]),
            PatchMergeKey = at >= 0 ? text[(at + 1)..] : keys.Count > 0 ? keys[0] : null,
        };
    }
}
