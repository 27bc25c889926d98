using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Trestle.Api.Yaml;

/// <summary>JSON → YAML, always the same text for the same tree: block style, keys in order, scripts as literal blocks.</summary>
public static partial class YamlText
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One document without a separator, ending in a line feed.</summary>
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        if (node is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
        {
            WriteBlock(text, node, 0);
        }
        else
        {
            text.Append(Scalar(node)).Append('\n');
        }

        return text.ToString();
    }

    private static void WriteBlock(StringBuilder text, JsonNode node, int indent)
    {
        if (node is JsonObject map)
        {
            foreach (var (key, value) in map)
            {
                text.Append(' ', indent).Append(Text(key)).Append(':');
                WriteValue(text, value, indent, listIndent: indent);
            }

            return;
        }

        foreach (var item in node.AsArray())
        {
            text.Append(' ', indent).Append('-');
            if (item is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
            {
                // The first line of the item goes on the line of the dash.
                var start = text.Length;
                WriteBlock(text, item, indent + 2);
                text.Remove(start, indent + 1);
            }
            else
            {
                WriteValue(text, item, indent, indent + 2);
            }
        }
    }

    private static void WriteValue(StringBuilder text, JsonNode? value, int indent, int listIndent)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 }:
                text.Append('\n');
                WriteBlock(text, value, indent + 2);
                break;
            case JsonArray { Count: > 0 }:
                text.Append('\n');
                WriteBlock(text, value, listIndent);
                break;
            case JsonValue scalar when scalar.TryGetValue(out string? lines) && IsLiteral(lines):
                WriteLiteral(text, lines, indent + 2);
                break;
            default:
                text.Append(' ').Append(Scalar(value)).Append('\n');
                break;
        }
    }

    private static void WriteLiteral(StringBuilder text, string lines, int indent)
    {
        var trailing = lines.Length - lines.TrimEnd('\n').Length;
        text.Append(" |").Append(trailing switch { 0 => "-", 1 => "", _ => "+" }).Append('\n');
        var body = trailing == 0 ? lines : lines[..^1];
        foreach (var line in body.Split('\n'))
        {
            if (line.Length > 0)
            {
                text.Append(' ', indent).Append(line);
            }

            text.Append('\n');
        }
    }

    // A literal block can't hold control characters, and a first line that starts with a blank would need an indicator.
    private static bool IsLiteral(string lines) =>
        lines.Contains('\n', StringComparison.Ordinal)
        && lines[0] is not (' ' or '\n' or '\t')
        && lines.All(letter => letter is '\n' or '\t' || (!char.IsControl(letter) && !char.IsSurrogate(letter) && letter is not ('\u2028' or '\u2029' or '\uFEFF')));

    private static string Scalar(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject => "{}",
        JsonArray => "[]",
        JsonValue value when value.TryGetValue(out string? text) => Text(text),
        _ => node.ToJsonString(Relaxed),
    };

    private static string Text(string text) => IsPlain(text) ? text : JsonSerializer.Serialize(text, Relaxed).Replace("\u0085", "\\u0085", StringComparison.Ordinal);

    private static bool IsPlain(string text) =>
        Plain().IsMatch(text)
        && !text.Contains(": ", StringComparison.Ordinal) && !text.Contains(" #", StringComparison.Ordinal)
        && text[^1] is not (':' or ' ')
        && !Resolved().IsMatch(text)
        && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    [GeneratedRegex(@"\A[A-Za-z0-9_./$(][A-Za-z0-9_./$(){}+*=~@%^;:<>?!,'""\\ |&#-]*\z", RegexOptions.NonBacktracking)]
    private static partial Regex Plain();

    // Words and numbers that some YAML reader takes for something else than text.
    [GeneratedRegex(@"\A(~|null|true|false|yes|no|on|off|y|n|0[xo][0-9a-f]+|[0-9][0-9_:.]*|[0-9]{4}-[0-9]{2}-[0-9]{2}.*|\.inf|\.nan)\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Resolved();
}
