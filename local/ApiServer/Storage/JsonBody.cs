using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>JSON in and out: hostile depth and duplicate keys are handled here and nowhere else.</summary>
internal static class JsonBody
{
    /// <summary>Nesting a request may have; deeper is refused with 400.</summary>
    public const int MaxDepth = 256;

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 1000, SkipValidation = true };
    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    public static byte[] Serialize(JsonNode node)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions)) node.WriteTo(writer);
        return buffer.WrittenSpan.ToArray();
    }

    public static JsonObject ParseObject(ReadOnlySpan<byte> json) =>
        Parse(json, null) as JsonObject ?? throw new JsonException("a JSON object was expected");

    /// <summary>Reads one value. Of repeated keys the last wins; their paths are added to <paramref name="duplicates"/>.</summary>
    /// <exception cref="JsonException">Not JSON, or nested deeper than <see cref="MaxDepth"/>.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> json, List<string>? duplicates)
    {
        var reader = new Utf8JsonReader(json, ReaderOptions);
        if (!reader.Read()) throw new JsonException("unexpected end of JSON input");
        var node = ReadValue(ref reader, "", duplicates);
        if (reader.Read()) throw new JsonException("more than one JSON value");
        return node;
    }

    private static JsonNode? ReadValue(ref Utf8JsonReader reader, string path, List<string>? duplicates) => reader.TokenType switch
    {
        JsonTokenType.StartObject => ReadObject(ref reader, path, duplicates),
        JsonTokenType.StartArray => ReadArray(ref reader, path, duplicates),
        JsonTokenType.String => JsonValue.Create(reader.GetString()!),
        JsonTokenType.Number => ReadNumber(ref reader),
        JsonTokenType.True => JsonValue.Create(true),
        JsonTokenType.False => JsonValue.Create(false),
        _ => null,
    };

    private static JsonObject ReadObject(ref Utf8JsonReader reader, string path, List<string>? duplicates)
    {
        var result = new JsonObject();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var inner = duplicates is null ? "" : path.Length == 0 ? name : path + "." + name;
            if (duplicates is not null && result.ContainsKey(name)) duplicates.Add(inner);
            reader.Read();
            result[name] = ReadValue(ref reader, inner, duplicates);
        }

        return result;
    }

    private static JsonArray ReadArray(ref Utf8JsonReader reader, string path, List<string>? duplicates)
    {
        var result = new JsonArray();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            result.Add(ReadValue(ref reader, duplicates is null ? "" : $"{path}[{result.Count}]", duplicates));
        return result;
    }

    private static JsonValue ReadNumber(ref Utf8JsonReader reader)
    {
        if (reader.TryGetInt64(out var integer)) return JsonValue.Create(integer);
        var text = Encoding.UTF8.GetString(reader.HasValueSequence ? reader.ValueSequence.ToArray() : reader.ValueSpan);
        var number = double.Parse(text, CultureInfo.InvariantCulture);
        return double.IsFinite(number) ? JsonValue.Create(number) : throw new JsonException($"the number {text} is out of range");
    }
}
