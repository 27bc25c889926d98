using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>Keys and size of what ConfigMaps and Secrets hold. A key becomes a file's name, so it may not lead out of its directory.</summary>
internal static partial class DataRules
{
    private const int MaxBytes = 1 << 20;
    private const int MaxKey = 253;
    private const string KeyMessage =
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

    public static IEnumerable<FieldError> ConfigMap(JsonObject content) =>
        [.. Keys(content, "data"), .. Keys(content, "binaryData"), .. Size("[]", Plain(content.Object("data")) + Encoded(content.Object("binaryData")))];

    public static IEnumerable<FieldError> Secret(JsonObject content) => [.. Keys(content, "data"), .. Size("data", Encoded(content.Object("data")))];

    private static IEnumerable<FieldError> Keys(JsonObject content, string field) =>
        from key in (content.Object(field) ?? []).Select(p => p.Key)
        let problem = Problem(key)
        where problem is not null
        select FieldError.Invalid($"{field}[{key}]", key, problem);

    private static string? Problem(string key) => key switch
    {
        { Length: > MaxKey } => $"must be no more than {MaxKey} characters",
        _ when !Key().IsMatch(key) => KeyMessage,
        "." or ".." => $"must not be '{key}'",
        _ when key.StartsWith("..", StringComparison.Ordinal) => "must not start with '..'",
        _ => null,
    };

    private static IEnumerable<FieldError> Size(string field, long bytes) =>
        bytes <= MaxBytes ? [] : [new FieldError(FieldErrorType.TooLong, field, null, $"may not be more than {MaxBytes} bytes")];

    private static long Plain(JsonObject? data) => (data ?? []).Sum(p => (long)Encoding.UTF8.GetByteCount(p.Value.AsText() ?? ""));

    private static long Encoded(JsonObject? data) => (data ?? []).Sum(p => (p.Value.AsText() ?? "").TrimEnd('=').Length * 3L / 4);

    [GeneratedRegex("^[-._a-zA-Z0-9]+\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Key();
}
