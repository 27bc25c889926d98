using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>
/// Bodies in Kubernetes' protobuf, which kubectl sends for a few kinds whatever the server answers in. Field numbers are those of
/// k8s.io/api and k8s.io/apimachinery <c>generated.proto</c>; a kind that is not in the table is refused with 415.
/// </summary>
internal static class ProtobufBody
{
    public const string ContentType = "application/vnd.kubernetes.protobuf";

    private enum Wire { Text, Bytes, Integer, Flag, Message, TextMap, BytesMap }

    private sealed record Field(string Name, Wire Wire = Wire.Text, Message? Message = null, bool IsList = false);

    private sealed class Message(params (int Number, Field Field)[] fields) : Dictionary<int, Field>(fields.Select(f => KeyValuePair.Create(f.Number, f.Field)));

    private static readonly Message Owner = new((5, new("apiVersion")), (1, new("kind")), (3, new("name")), (4, new("uid")), (6, new("controller", Wire.Flag)), (7, new("blockOwnerDeletion", Wire.Flag)));

    private static readonly (int, Field) Metadata = (1, new("metadata", Wire.Message, new(
        (1, new("name")), (2, new("generateName")), (3, new("namespace")), (5, new("uid")), (6, new("resourceVersion")),
        (11, new("labels", Wire.TextMap)), (12, new("annotations", Wire.TextMap)), (13, new("ownerReferences", Wire.Message, Owner, true)), (14, new("finalizers", IsList: true)))));

    private static readonly Message ResourceAttributes = new(
        (1, new("namespace")), (2, new("verb")), (3, new("group")), (4, new("version")), (5, new("resource")), (6, new("subresource")), (7, new("name")));

    private static readonly Message NonResourceAttributes = new((1, new("path")), (2, new("verb")));

    private static readonly Message DeleteOptions = new(
        (1, new("gracePeriodSeconds", Wire.Integer)), (2, new("preconditions", Wire.Message, new((1, new("uid")), (2, new("resourceVersion"))))),
        (3, new("orphanDependents", Wire.Flag)), (4, new("propagationPolicy")), (5, new("dryRun", IsList: true)));

    private static readonly Message References = new((3, new("name")));

    private static readonly Dictionary<string, Message> Kinds = new(StringComparer.Ordinal)
    {
        ["DeleteOptions"] = DeleteOptions,
        ["Eviction"] = new(Metadata, (2, new("deleteOptions", Wire.Message, DeleteOptions))),
        ["Namespace"] = new(Metadata, (2, new("spec", Wire.Message, new((1, new("finalizers", IsList: true)))))),
        ["ConfigMap"] = new(Metadata, (2, new("data", Wire.TextMap)), (3, new("binaryData", Wire.BytesMap)), (4, new("immutable", Wire.Flag))),
        ["Secret"] = new(Metadata, (2, new("data", Wire.BytesMap)), (3, new("type")), (4, new("stringData", Wire.TextMap)), (5, new("immutable", Wire.Flag))),
        ["ServiceAccount"] = new(Metadata, (2, new("secrets", Wire.Message, References, true)), (3, new("imagePullSecrets", Wire.Message, new((1, new("name"))), true)), (4, new("automountServiceAccountToken", Wire.Flag))),
        ["SelfSubjectReview"] = new(Metadata),
        ["SelfSubjectRulesReview"] = new(Metadata, (2, new("spec", Wire.Message, new((1, new("namespace")))))),
        ["SelfSubjectAccessReview"] = new(Metadata, (2, new("spec", Wire.Message, new((1, new("resourceAttributes", Wire.Message, ResourceAttributes)), (2, new("nonResourceAttributes", Wire.Message, NonResourceAttributes)))))),
        ["SubjectAccessReview"] = new(Metadata, (2, new("spec", Wire.Message, new(
            (1, new("resourceAttributes", Wire.Message, ResourceAttributes)), (2, new("nonResourceAttributes", Wire.Message, NonResourceAttributes)),
            (3, new("user")), (4, new("groups", IsList: true)), (6, new("uid")))))),
        ["TokenReview"] = new(Metadata, (2, new("spec", Wire.Message, new((1, new("token")), (2, new("audiences", IsList: true)))))),
        ["TokenRequest"] = new(Metadata, (2, new("spec", Wire.Message, new(
            (1, new("audiences", IsList: true)), (4, new("expirationSeconds", Wire.Integer)),
            (3, new("boundObjectRef", Wire.Message, new((1, new("kind")), (2, new("apiVersion")), (3, new("name")), (4, new("uid"))))))))),
    };

    /// <exception cref="JsonException">Not a well-formed body.</exception>
    public static JsonObject Parse(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith("k8s\0"u8)) throw new JsonException("the body is not Kubernetes protobuf");
        var envelope = new Message((1, new("typeMeta", Wire.Message, new((1, new("apiVersion")), (2, new("kind"))))), (2, new("raw", Wire.Bytes)));
        var outer = Read(body[4..], envelope, 0);
        var kind = outer.Object("typeMeta").Text("kind") ?? "";
        if (!Kinds.TryGetValue(kind, out var message))
            throw new ApiException(415, "UnsupportedMediaType", $"the one-machine API server does not read {(kind.Length == 0 ? "this kind" : kind)} as protobuf; send it as application/json");
        var content = Read(Convert.FromBase64String(outer.Text("raw") ?? ""), message, 0);
        content["kind"] = kind;
        content["apiVersion"] = outer.Object("typeMeta").Text("apiVersion");
        return content;
    }

    private static JsonObject Read(ReadOnlySpan<byte> bytes, Message message, int depth)
    {
        if (depth > 16) throw new JsonException("the protobuf body is too deep");
        var result = new JsonObject();
        while (bytes.Length > 0)
        {
            var tag = ReadVarint(ref bytes);
            var payload = ReadPayload((int)(tag & 7), ref bytes, out var number);
            if (!message.TryGetValue((int)(tag >> 3), out var field)) continue;
            if (field.Wire is Wire.TextMap or Wire.BytesMap) AddEntry(result.Ensure(field.Name), payload, field.Wire, depth);
            else if (field.IsList) Append(result, field.Name, Value(field, payload, number, depth));
            else if (Value(field, payload, number, depth) is { } value && !IsEmpty(value)) result[field.Name] = value;
        }

        return result;
    }

    private static JsonNode Value(Field field, ReadOnlySpan<byte> payload, ulong number, int depth) => field.Wire switch
    {
        Wire.Integer => (long)number,
        Wire.Flag => number != 0,
        Wire.Bytes => Convert.ToBase64String(payload),
        Wire.Message => Read(payload, field.Message!, depth + 1),
        _ => Encoding.UTF8.GetString(payload),
    };

    // Protobuf writes every string of a Go struct; JSON leaves the empty ones out.
    private static bool IsEmpty(JsonNode value) => value.AsText() is "";

    private static void AddEntry(JsonObject map, ReadOnlySpan<byte> entry, Wire wire, int depth)
    {
        var pair = Read(entry, new((1, new("key")), (2, new("value", wire == Wire.BytesMap ? Wire.Bytes : Wire.Text))), depth + 1);
        map[pair.Text("key") ?? ""] = pair.Text("value") ?? "";
    }

    private static void Append(JsonObject result, string name, JsonNode value)
    {
        if (result.Array(name) is not { } list) result[name] = list = [];
        list.Add(value);
    }

    private static ReadOnlySpan<byte> ReadPayload(int wireType, ref ReadOnlySpan<byte> bytes, out ulong number)
    {
        number = 0;
        switch (wireType)
        {
            case 0:
                number = ReadVarint(ref bytes);
                return default;
            case 1:
                number = BinaryPrimitives.ReadUInt64LittleEndian(Take(ref bytes, 8));
                return default;
            case 2:
                var length = ReadVarint(ref bytes);
                return Take(ref bytes, length > int.MaxValue ? -1 : (int)length);
            case 5:
                number = BinaryPrimitives.ReadUInt32LittleEndian(Take(ref bytes, 4));
                return default;
            default:
                throw new JsonException("the protobuf body is malformed");
        }
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> bytes, int length)
    {
        if (length < 0 || length > bytes.Length) throw new JsonException("the protobuf body ends too soon");
        var taken = bytes[..length];
        bytes = bytes[length..];
        return taken;
    }

    private static ulong ReadVarint(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(ref bytes, 1)[0];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return value;
        }

        throw new JsonException("the protobuf body is malformed");
    }
}
