using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Trestle.Api.Crds;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests;

/// <summary>
/// The rules of the schema that one value decides, told at its line. The API server checks these again, and all others.
/// </summary>
internal static class ValueRules
{
    public static bool IsRequired(JsonPropertyInfo property) => property.Has<RequiredAttribute>();

    public static bool TakesNumbers(JsonPropertyInfo? property) => property is not null && (property.Has<QuantityTextAttribute>() || property.Has<IntOrStringAttribute>());

    public static void Check(Notes notes, YamlEntry entry, JsonNode? value, JsonPropertyInfo property, Type owner, string path)
    {
        if (value is not JsonValue scalar)
        {
            return;
        }

        var problem = scalar.TryGetValue(out string? text) ? OfText(text, property, owner) : OfNumber(scalar, property);
        if (problem is not null)
        {
            notes.Error(entry.Line, problem.StartsWith(property.Name, StringComparison.Ordinal) ? problem : $"{path} {problem}");
        }
    }

    private static string? OfText(string text, JsonPropertyInfo property, Type owner)
    {
        if (owner == typeof(Resources) && property.Name == "accelerators")
        {
            return Accelerators.TryParse(text, out _, out var error) ? null : error;
        }

        if (owner == typeof(TrainingJobSpec) && property.Name is "run" or "setup" && ScriptText.Problem(text) is { } script)
        {
            return script;
        }

        if (property.Has<DurationTextAttribute>() && !Duration.TryParse(text, out _))
        {
            return $"must be a duration such as 30s, 10m or 1h30m, not '{Notes.Shown(text)}'";
        }

        if (property.Has<QuantityTextAttribute>() && !Quantity.TryParse(text, out _))
        {
            return $"must be a number with an optional unit, e.g. 4, 500m or 64Gi, not '{Notes.Shown(text)}'";
        }

        return Pattern(text, property);
    }

    private static string? Pattern(string text, JsonPropertyInfo property)
    {
        if (property.All<RegularExpressionAttribute>().FirstOrDefault() is { } rule
            && !Regex.IsMatch(text, rule.Pattern, RegexOptions.NonBacktracking))
        {
            return $"must match {rule.Pattern}, and '{Notes.Shown(text)}' does not";
        }

        return property.All<MaxLengthAttribute>().FirstOrDefault() is { } most && text.Length > most.Length
            ? $"may have at most {most.Length} characters, and has {text.Length}"
            : null;
    }

    private static string? OfNumber(JsonValue number, JsonPropertyInfo property) =>
        property.All<RangeAttribute>().FirstOrDefault() is { Minimum: int least, Maximum: int most }
        && number.TryGetValue(out long value) && (value < least || value > most)
            ? most == int.MaxValue ? $"must be {least} or more, not {value}" : $"must be from {least} to {most}, not {value}"
            : null;
}
