using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using k8s;
using k8s.Models;

namespace Trestle.Runtime;

/// <summary>Reads the events of a watch, one JSON object a line, each parsed once.</summary>
internal static class WatchReader
{
    /// <exception cref="KubeApiException">An ERROR event.</exception>
    public static async IAsyncEnumerable<WatchEvent<T>> ReadAsync<T>(Stream body, WireFormat format, [EnumeratorCancellation] CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var pipe = PipeReader.Create(body);
        try
        {
            while (true)
            {
                var result = await pipe.ReadAsync(ct);
                var buffer = result.Buffer;
                while (TryLine(ref buffer, out var line))
                {
                    if (Parse<T>(line, format) is { } change) yield return change;
                }

                // What is left without a line end was cut off in the middle: the next watch brings it again.
                if (result.IsCompleted) yield break;
                pipe.AdvanceTo(buffer.Start, buffer.End);
            }
        }
        finally
        {
            await pipe.CompleteAsync();
        }
    }

    private static bool TryLine(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        if (buffer.PositionOf((byte)'\n') is not { } end)
        {
            line = default;
            return false;
        }

        line = buffer.Slice(0, end);
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return true;
    }

    private static WatchEvent<T>? Parse<T>(ReadOnlySequence<byte> line, WireFormat format)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (line.IsEmpty) return null;
        var type = "";
        var reader = new Utf8JsonReader(line);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                type = reader.GetString() ?? "";
            }
            else if (reader.ValueTextEquals("object"u8))
            {
                reader.Read();
                return Event<T>(type, ref reader, format);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        throw new JsonException("a watch event without an object");
    }

    private static WatchEvent<T>? Event<T>(string type, ref Utf8JsonReader reader, WireFormat format)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        WatchEventType kind;
        switch (type)
        {
            case "ADDED": kind = WatchEventType.Added; break;
            case "MODIFIED": kind = WatchEventType.Modified; break;
            case "DELETED": kind = WatchEventType.Deleted; break;
            case "BOOKMARK":
                var version = JsonElement.ParseValue(ref reader).GetProperty("metadata").GetProperty("resourceVersion").GetString() ?? "";
                return new WatchEvent<T>(WatchEventType.Bookmark, null, version);
            case "ERROR":
                throw StatusReader.Error(JsonElement.ParseValue(ref reader));
            case "":
                throw new JsonException("a watch event whose type does not come first");
            default:
                return null; // A type of a later version.
        }

        var item = format.Read<T>(ref reader);
        return new WatchEvent<T>(kind, item, item.Metadata.ResourceVersion);
    }
}
