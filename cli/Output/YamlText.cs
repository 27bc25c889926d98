using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Trestle.Cli.Output;

/// <summary>A JSON tree as YAML, as kubectl would print it.</summary>
internal static class YamlText
{
    public static string Of(JsonNode node)
    {
        var text = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(text, new EmitterSettings(2, int.MaxValue, false, int.MaxValue));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Emit(emitter, node);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return text.ToString();
    }

    private static void Emit(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                emitter.Emit(new MappingStart(AnchorName.Empty, TagName.Empty, true, map.Count == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach (var (key, value) in map)
                {
                    emitter.Emit(Text(key));
                    Emit(emitter, value);
                }

                emitter.Emit(new MappingEnd());
                break;
            case JsonArray list:
                emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, true, list.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (var item in list)
                {
                    Emit(emitter, item);
                }

                emitter.Emit(new SequenceEnd());
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                emitter.Emit(Text(value.GetValue<string>()));
                break;
            default:
                emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, node?.ToJsonString() ?? "null", ScalarStyle.Plain, true, false));
                break;
        }
    }

    private static Scalar Text(string text) => new(AnchorName.Empty, TagName.Empty, text, StyleOf(text), isPlainImplicit: true, isQuotedImplicit: true);

    // A string that YAML would read as something else is quoted; several lines stay readable.
    private static ScalarStyle StyleOf(string text) =>
        text.Contains('\n', StringComparison.Ordinal) && !text.Contains(" \n", StringComparison.Ordinal) && !char.IsWhiteSpace(text[0]) && !text.Any(IsOdd) ? ScalarStyle.Literal
        : text.Length > 0 && char.IsAsciiLetter(text[0]) && text.All(IsPlain) && !IsWord(text) ? ScalarStyle.Plain
        : ScalarStyle.DoubleQuoted;

    private static bool IsOdd(char character) => char.IsControl(character) && character is not '\n';

    private static bool IsPlain(char character) => char.IsAsciiLetterOrDigit(character) || "-_./".Contains(character, StringComparison.Ordinal);

    private static bool IsWord(string text) =>
        text.ToLowerInvariant() is "true" or "false" or "null" or "yes" or "no" or "on" or "off" or "y" or "n";
}
