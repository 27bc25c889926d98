using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests;

/// <summary>
/// YAML → JSON of a type, walked over the context that the wire uses. What the type does not know is an error at its
/// line; what could not be read leaves null, so one pass finds all errors.
/// </summary>
internal sealed class StrictReader(Notes notes)
{
    private readonly Dictionary<string, string> _workdirs = new(StringComparer.Ordinal);

    /// <summary>Working directories on the machine of the reader, written as text where the type has a map, by their path in the document.</summary>
    public IReadOnlyDictionary<string, string> Workdirs => _workdirs;

    /// <param name="node">What is written.</param>
    /// <param name="type">What it should be.</param>
    /// <param name="path">For sentences, e.g. spec.resources.</param>
    public JsonNode? Read(YamlNode node, JsonTypeInfo type, string path) => Read(node, type, null, path);

    private JsonNode? Read(YamlNode node, JsonTypeInfo type, JsonPropertyInfo? property, string path)
    {
        if (type.Type == typeof(TerminationDelay))
        {
            return node.ToJson();
        }

        return type.Kind switch
        {
            _ when type.Type == typeof(JsonObject) => node is YamlMap ? node.ToJson() : Wrong(node, path, "a map of keys and values"),
            JsonTypeInfoKind.Object => Object(node, type, path),
            JsonTypeInfoKind.Dictionary => Dictionary(node, type, property, path),
            JsonTypeInfoKind.Enumerable => List(node, type, property, path),
            _ => Scalar(node, Nullable.GetUnderlyingType(type.Type) ?? type.Type, property, path),
        };
    }

    private JsonObject? Object(YamlNode node, JsonTypeInfo type, string path)
    {
        if (node is not YamlMap map)
        {
            return Wrong(node, path, "a map of keys and values") as JsonObject;
        }

        var read = new JsonObject();
        foreach (var entry in map.Entries)
        {
            var property = type.Properties.FirstOrDefault(property => property.Name == entry.Key);
            if (property is null)
            {
                notes.Error(entry.Line, $"{Owner(path)} has no field '{Notes.Shown(entry.Key)}'{NearestName.Hint(entry.Key, Fields(type))}");
            }
            else if (!entry.Value.IsNull)
            {
                var below = Join(path, entry.Key);
                if (property.PropertyType == typeof(Workdir) && entry.Value is YamlScalar { IsNumber: false, Truth: null, Text.Length: > 0 } directory)
                {
                    _workdirs[below] = directory.Text;
                    continue;
                }

                var value = Read(entry.Value, type.Options.GetTypeInfo(property.PropertyType), property, below);
                ValueRules.Check(notes, entry, value, property, type.Type, below);
                read[entry.Key] = value;
            }
        }

        foreach (var missing in type.Properties.Where(property => ValueRules.IsRequired(property) && map.Find(property.Name) is null or { Value.IsNull: true }))
        {
            notes.Error(map.Line, $"{Join(path, missing.Name)} is missing");
        }

        return read;
    }

    private JsonObject? Dictionary(YamlNode node, JsonTypeInfo type, JsonPropertyInfo? property, string path)
    {
        if (node is not YamlMap map)
        {
            return Wrong(node, path, "a map of keys and values") as JsonObject;
        }

        var element = type.Options.GetTypeInfo(type.ElementType!);
        return new JsonObject(map.Entries.Select(entry => KeyValuePair.Create(entry.Key, Read(entry.Value, element, property, $"{path}.{entry.Key}"))));
    }

    private JsonArray? List(YamlNode node, JsonTypeInfo type, JsonPropertyInfo? property, string path)
    {
        if (node is not YamlList list)
        {
            return Wrong(node, path, "a list") as JsonArray;
        }

        var element = type.Options.GetTypeInfo(type.ElementType!);
        return new JsonArray([.. list.Items.Select((item, index) => Read(item, element, property, $"{path}[{index}]"))]);
    }

    private JsonNode? Scalar(YamlNode node, Type type, JsonPropertyInfo? property, string path)
    {
        if (node is not YamlScalar scalar || scalar.IsNull)
        {
            return Wrong(node, path, Expected(type));
        }

        if (type == typeof(string) || type == typeof(byte[]))
        {
            var looksOther = scalar.IsNumber || scalar.Truth is not null;
            return looksOther && !(scalar.IsNumber && ValueRules.TakesNumbers(property))
                ? Wrong(node, path, $"text; put it in quotes: \"{Notes.Shown(scalar.Text)}\"", describe: false)
                : scalar.Text;
        }

        if (type.IsEnum)
        {
            return EnumNames(type).Contains(scalar.Text, StringComparer.Ordinal)
                ? scalar.Text
                : Fail(node, $"{path} can't be '{Notes.Shown(scalar.Text)}'{NearestName.Hint(scalar.Text, [.. EnumNames(type)])}");
        }

        return type == typeof(bool)
            ? (scalar.Truth is { } truth ? truth : Wrong(node, path, "true or false"))
            : Number(scalar, type, path);
    }

    private JsonNode? Number(YamlScalar scalar, Type type, string path)
    {
        if (type == typeof(DateTime))
        {
            return scalar.Text;
        }

        var fits = scalar.IsPlain && (type == typeof(int) ? int.TryParse(scalar.Text, out _) : long.TryParse(scalar.Text, out _));
        return fits ? JsonValue.Create(long.Parse(scalar.Text)) : Wrong(scalar, path, "a whole number");
    }

    private JsonNode? Wrong(YamlNode node, string path, string expected, bool describe = true) =>
        Fail(node, $"{path} must be {expected}{(describe ? $", not {Notes.Shown(node)}" : "")}");

    private JsonNode? Fail(YamlNode node, string sentence)
    {
        notes.Error(node.Line, sentence);
        return null;
    }

    private static string Expected(Type type) =>
        type == typeof(bool) ? "true or false" : type == typeof(int) || type == typeof(long) ? "a whole number" : "text";

    private static IEnumerable<string> EnumNames(Type type) => type.GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? field.Name);

    private static string[] Fields(JsonTypeInfo type) => [.. type.Properties.Select(property => property.Name)];

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static string Owner(string path) => path.Length == 0 ? "the object" : path;
}
