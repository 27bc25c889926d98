using System.Text.Json;

namespace Trestle.Runtime;

/// <summary>Reads one page of a list without building a tree of it.</summary>
internal static class ListReader
{
    /// <summary>Adds the page's items; gives the list's version and the token of the next page, "" on the last.</summary>
    public static (string ResourceVersion, string Continue) Read<T>(ReadOnlySpan<byte> page, WireFormat format, List<T> items)
        where T : class
    {
        var (version, next) = ("", "");
        var reader = new Utf8JsonReader(page);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("items"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.StartArray) continue; // null: an empty list of some servers
                while (reader.Read() && reader.TokenType == JsonTokenType.StartObject) items.Add(format.Read<T>(ref reader));
            }
            else if (reader.ValueTextEquals("metadata"u8))
            {
                reader.Read();
                var meta = JsonElement.ParseValue(ref reader);
                version = meta.TryGetProperty("resourceVersion", out var found) ? found.GetString() ?? "" : "";
                next = meta.TryGetProperty("continue", out var token) ? token.GetString() ?? "" : "";
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        return (version, next);
    }
}
