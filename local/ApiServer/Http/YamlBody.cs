using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Trestle.Local.ApiServer;

/// <summary>YAML bodies as JSON. Aliases are expanded up to a bound, so that a small body can't become a large object.</summary>
internal static class YamlBody
{
    private const int MaxNodes = 100_000;

    public static JsonNode? Parse(byte[] body)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(Encoding.UTF8.GetString(body)));
            var left = MaxNodes;
            return stream.Documents.Count == 0 ? null : Convert(stream.Documents[0].RootNode, 0, ref left);
        }
        catch (Exception e) when (e is YamlException or ArgumentException or OverflowException)
        {
            throw new JsonException(e.Message, e);
        }
    }

    private static JsonNode? Convert(YamlNode node, int depth, ref int left)
    {
        if (--left < 0 || depth > JsonBody.MaxDepth) throw new JsonException("the YAML document is too large or too deep");
        switch (node)
        {
            case YamlMappingNode map:
                var result = new JsonObject();
                foreach (var (key, value) in map.Children) result[((YamlScalarNode)key).Value ?? ""] = Convert(value, depth + 1, ref left);
                return result;
            case YamlSequenceNode list:
                var items = new JsonArray();
                foreach (var item in list.Children) items.Add(Convert(item, depth + 1, ref left));
                return items;
            default:
                return Scalar((YamlScalarNode)node);
        }
    }

    private static JsonValue? Scalar(YamlScalarNode node)
    {
        var text = node.Value ?? "";
        if (node.Style is not ScalarStyle.Plain) return JsonValue.Create(text);
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL": return null;
            case "y" or "Y" or "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON": return JsonValue.Create(true);
            case "n" or "N" or "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF": return JsonValue.Create(false);
        }

        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)) return JsonValue.Create(integer);
        var isNumber = char.IsAsciiDigit(text[^1]) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number);
        return isNumber ? JsonValue.Create(double.Parse(text, CultureInfo.InvariantCulture)) : JsonValue.Create(text);
    }
}
