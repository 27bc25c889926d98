using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Trestle.Api.V1Alpha1;

/// <summary>RFC 3339 in UTC, whole seconds without a fraction, else microseconds.</summary>
public sealed class KubernetesTimeConverter : JsonConverter<DateTime>
{
    /// <inheritdoc/>
    public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        DateTimeOffset.TryParse(reader.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.UtcDateTime
            : throw new JsonException("a time must be RFC 3339, e.g. 2026-01-31T12:00:00Z");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var utc = value.Kind == DateTimeKind.Local ? value.ToUniversalTime() : value;
        var format = utc.Ticks % TimeSpan.TicksPerSecond == 0 ? "yyyy-MM-ddTHH:mm:ssZ" : "yyyy-MM-ddTHH:mm:ss.ffffffZ";
        writer.WriteStringValue(utc.ToString(format, CultureInfo.InvariantCulture));
    }
}
