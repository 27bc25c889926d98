using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using k8s;

namespace Trestle.Runtime;

/// <summary>Reads and writes objects: by the given source-generated contexts where they know the class, else by KubernetesClient.</summary>
internal sealed class WireFormat(IReadOnlyList<JsonSerializerContext> contexts)
{
    public byte[] Write<T>(T item) =>
        TypeInfo<T>() is { } info ? JsonSerializer.SerializeToUtf8Bytes(item, info) : System.Text.Encoding.UTF8.GetBytes(KubernetesJson.Serialize(item));

    public T Read<T>(ref Utf8JsonReader reader)
        where T : class
    {
        var item = TypeInfo<T>() is { } info
            ? JsonSerializer.Deserialize(ref reader, info)
            : KubernetesJson.Deserialize<T>(JsonElement.ParseValue(ref reader));
        return item ?? throw new JsonException($"null where an object of {typeof(T).Name} was expected");
    }

    public T Read<T>(ReadOnlySpan<byte> json)
        where T : class
    {
        var reader = new Utf8JsonReader(json);
        return Read<T>(ref reader);
    }

    private JsonTypeInfo<T>? TypeInfo<T>() => contexts.Select(context => context.GetTypeInfo(typeof(T))).OfType<JsonTypeInfo<T>>().FirstOrDefault();
}
