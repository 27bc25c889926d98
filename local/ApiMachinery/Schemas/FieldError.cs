using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiMachinery;

/// <summary>The kinds of field error a Kubernetes API server reports as status causes.</summary>
public enum FieldErrorType
{
    Required,
    Invalid,
    NotSupported,
    Duplicate,
    Forbidden,
    TooLong,
    TooMany,
    TypeInvalid,
    NotFound,
    Internal,
}

/// <summary>One invalid field, worded as k8s.io/apimachinery's <c>field.Error</c> words it.</summary>
/// <param name="Field">Path such as <c>spec.env[1]</c>; <c>&lt;nil&gt;</c> for the whole object.</param>
/// <param name="BadValue">A <see cref="JsonNode"/>, string, number or bool; null prints as <c>null</c>, <see cref="Omitted"/> as nothing.</param>
public sealed record FieldError(FieldErrorType Type, string Field, object? BadValue, string Detail)
{
    internal static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Stands for a value that is not to be printed.</summary>
    public static object Omitted { get; } = new();

    /// <summary>The error that says rules were skipped because the object did not pass its schema.</summary>
    public static FieldError RulesNotChecked { get; } = new(FieldErrorType.Invalid, "<nil>", null,
        "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation");

    /// <summary>The machine-readable cause, as in <c>status.details.causes[].reason</c>.</summary>
    public string Reason => Type == FieldErrorType.Internal ? "InternalError" : "FieldValue" + Type;

    /// <summary>The message without the field, as in <c>status.details.causes[].message</c>.</summary>
    public string Body
    {
        get
        {
            var text = Title;
            var hidden = Type is FieldErrorType.Required or FieldErrorType.Forbidden or FieldErrorType.TooLong or FieldErrorType.Internal
                || ReferenceEquals(BadValue, Omitted);
            if (!hidden) text += ": " + Show(BadValue);
            return Detail.Length > 0 ? text + ": " + Detail : text;
        }
    }

    /// <summary>Field and body, as they appear in the status message.</summary>
    public string Message => Field + ": " + Body;

    private string Title => Type switch
    {
        FieldErrorType.Required => "Required value",
        FieldErrorType.NotSupported => "Unsupported value",
        FieldErrorType.Duplicate => "Duplicate value",
        FieldErrorType.Forbidden => "Forbidden",
        FieldErrorType.TooLong => "Too long",
        FieldErrorType.TooMany => "Too many",
        FieldErrorType.NotFound => "Not found",
        FieldErrorType.Internal => "Internal error",
        _ => "Invalid value",
    };

    /// <summary>A field that is missing or empty.</summary>
    public static FieldError Required(string field, string detail = "") => new(FieldErrorType.Required, field, null, detail);

    /// <summary>A value that breaks a rule; the detail says which.</summary>
    public static FieldError Invalid(string field, object? value, string detail) => new(FieldErrorType.Invalid, field, value, detail);

    /// <summary>A field that may not be set or changed here.</summary>
    public static FieldError Forbidden(string field, string detail) => new(FieldErrorType.Forbidden, field, null, detail);

    /// <summary>A value that is there already.</summary>
    public static FieldError Duplicate(string field, object? value) => new(FieldErrorType.Duplicate, field, value, "");

    /// <summary>A value that is none of those supported.</summary>
    public static FieldError NotSupported(string field, object? value, IEnumerable<string> supported) =>
        new(FieldErrorType.NotSupported, field, value, "supported values: " + string.Join(", ", supported.Select(Quote)));

    /// <summary>All errors as the message of an <c>Invalid</c> status lists them: one bare, several in brackets, repeats left out.</summary>
    public static string Join(IEnumerable<FieldError> errors)
    {
        var messages = errors.Select(e => e.Message).Distinct(StringComparer.Ordinal).ToList();
        return messages.Count == 1 ? messages[0] : "[" + string.Join(", ", messages) + "]";
    }

    /// <summary>Quotes as Go's <c>%q</c> does.</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                < ' ' or '\x7f' => quoted.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }

    private static string Show(object? value) => value switch
    {
        null => "null",
        string text => Quote(text),
        bool flag => flag ? "true" : "false",
        JsonValue json when json.GetValueKind() == JsonValueKind.String => Quote(json.GetValue<string>()),
        JsonNode json => json.ToJsonString(Relaxed),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "null",
    };
}

/// <summary>A schema that cannot be registered; the errors say where and why.</summary>
public sealed class SchemaException(IReadOnlyList<FieldError> errors) : Exception(FieldError.Join(errors))
{
    /// <summary>At least one, in the order of the schema.</summary>
    public IReadOnlyList<FieldError> Errors { get; } = errors;
}
