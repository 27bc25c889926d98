using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Trestle.Api.V1Alpha1;

/// <summary>Text, also when written as a number (Kubernetes takes <c>cpus: 4</c> and <c>cpus: "4"</c>).</summary>
public sealed class ScalarTextConverter : JsonConverter<string>
{
    /// <inheritdoc/>
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Number ? Encoding.UTF8.GetString(reader.ValueSpan) : reader.GetString();

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value);
    }
}
