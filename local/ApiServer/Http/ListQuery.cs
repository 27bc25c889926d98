using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>What a list, watch or deletion of many selects.</summary>
internal sealed class Selection
{
    private readonly LabelSelector _labels;
    private readonly FieldSelector _fields;
    private readonly string? _namespace;

    public Selection(ApiRequest request)
    {
        try
        {
            _labels = LabelSelector.Parse(request.Query("labelSelector"));
            _fields = FieldSelector.Parse(request.Query("fieldSelector")).RequireSupported(request.Resource.SelectableFields);
        }
        catch (SelectorException e)
        {
            throw ApiException.BadRequest(e.Message);
        }

        _namespace = request.Namespace;
    }

    public bool IsEverything => _labels.IsEmpty && _fields.Requirements.Count == 0;

    public bool Matches(StoredObject item) =>
        (_namespace is null || item.Namespace == _namespace) && _labels.Matches(item.Labels) && (_fields.Requirements.Count == 0 || MatchesFields(item));

    private bool MatchesFields(StoredObject item) => _fields.Matches(path => path switch
    {
        "metadata.name" => item.Name,
        "metadata.namespace" => item.Namespace ?? "",
        "source" => item.TextAt("source.component"),
        "spec.unschedulable" or "spec.hostNetwork" => item.TextAt(path) is { Length: > 0 } value ? value : "false",
        _ => item.TextAt(path),
    });
}

/// <summary>Where a paged list goes on: the version it reads and the key it has come to, as a real server encodes them.</summary>
internal sealed record ContinueToken(long Version, string After)
{
    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"v":"meta.k8s.io/v1","rv":{{Version}},"start":"{{JsonEncodedText.Encode("/" + After)}}\u0000"}"""));

    public static ContinueToken Parse(string text)
    {
        var json = Decode(text);
        try
        {
            var token = JsonBody.ParseObject(json);
            var start = token.Text("start") ?? "";
            if (token.Text("v") != "meta.k8s.io/v1" || token.Integer("rv") is not { } version || !start.StartsWith('/')) throw Invalid("server does not recognize this encoded version");
            return new ContinueToken(version, start[1..].TrimEnd('\0'));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            var first = json.Length == 0 ? "" : json[0] < 128 ? ((char)json[0]).ToString() : $"\\x{json[0]:x2}";
            throw Invalid(json.Length == 0 ? "unexpected end of JSON input" : $"invalid character '{first}' looking for beginning of value");
        }
    }

    // Loose bits at the end are ignored, as Go's decoder does.
    private static byte[] Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        var (bits, count) = (0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            var value = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".IndexOf(text[i], StringComparison.Ordinal);
            if (value < 0) throw Invalid($"illegal base64 data at input byte {i}");
            bits = (bits << 6 | value) & 0xffff;
            count += 6;
            if (count < 8) continue;
            count -= 8;
            bytes.Add((byte)(bits >> count));
        }

        return [.. bytes];
    }

    private static ApiException Invalid(string why) => ApiException.BadRequest("invalid continue token: continue key is not valid: " + why);
}
