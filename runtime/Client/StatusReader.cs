using System.Net;
using System.Text;
using System.Text.Json;

namespace Trestle.Runtime;

/// <summary>Reads a Kubernetes Status.</summary>
internal static class StatusReader
{
    private const int LongestText = 300;

    /// <summary>The error of an answer; of anything else than a Status (a proxy in between) the beginning is the message.</summary>
    public static KubeApiException Error(HttpStatusCode status, ReadOnlyMemory<byte> body, TimeSpan? retryAfter)
    {
        try
        {
            using var parsed = JsonDocument.Parse(body);
            if (parsed.RootElement.ValueKind == JsonValueKind.Object && Text(parsed.RootElement, "message") is { } message)
                return new KubeApiException(status, Text(parsed.RootElement, "reason") ?? "", message, retryAfter);
        }
        catch (JsonException)
        {
            // Not a Status.
        }

        var text = Encoding.UTF8.GetString(body.Span[..Math.Min(body.Length, LongestText)]).Trim();
        return new KubeApiException(status, "", text.Length == 0 ? $"the API server answered {(int)status}" : text, retryAfter);
    }

    /// <summary>The error that an ERROR event of a watch carries.</summary>
    public static KubeApiException Error(JsonElement status)
    {
        var code = status.TryGetProperty("code", out var number) && number.TryGetInt32(out var found) ? found : 500;
        return new KubeApiException((HttpStatusCode)code, Text(status, "reason") ?? "", Text(status, "message") ?? $"the watch ended with {code}");
    }

    private static string? Text(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
