using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Trestle.Api.Yaml;

/// <summary>A part of a YAML document, with the line it starts on (from 1).</summary>
public abstract record YamlNode(int Line)
{
    /// <summary>What a reader would call it, e.g. "a list".</summary>
    public abstract string Noun { get; }

    /// <summary>True for an absent value: nothing, ~ or null.</summary>
    public bool IsNull => this is YamlScalar { IsPlain: true, Text: "" or "~" or "null" or "Null" or "NULL" };

    /// <summary>The JSON that YAML 1.2 says it is.</summary>
    public abstract JsonNode? ToJson();
}

/// <summary>A single value, as written.</summary>
/// <param name="Line">Where it starts.</param>
/// <param name="Text">Without quotes.</param>
/// <param name="IsPlain">Written without quotes, so it may be a number or a truth value.</param>
public sealed partial record YamlScalar(int Line, string Text, bool IsPlain) : YamlNode(Line)
{
    /// <inheritdoc/>
    public override string Noun => IsNumber ? "a number" : "text";

    /// <summary>A plain number that JSON can hold.</summary>
    public bool IsNumber => IsPlain && Number().IsMatch(Text) && double.IsFinite(double.Parse(Text, CultureInfo.InvariantCulture));

    /// <summary>The truth value, or null when it is none.</summary>
    public bool? Truth => !IsPlain ? null : Text switch
    {
        "true" or "True" or "TRUE" => true,
        "false" or "False" or "FALSE" => false,
        _ => null,
    };

    /// <inheritdoc/>
    public override JsonNode? ToJson() => IsNull ? null : Truth is { } truth ? truth : IsNumber ? JsonNode.Parse(Text) : Text;

    // What JSON takes too, so that the text stays as written.
    [GeneratedRegex(@"\A-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Number();
}

/// <summary>A sequence.</summary>
public sealed record YamlList(int Line, IReadOnlyList<YamlNode> Items) : YamlNode(Line)
{
    /// <inheritdoc/>
    public override string Noun => "a list";

    /// <inheritdoc/>
    public override JsonNode ToJson() => new JsonArray([.. Items.Select(item => item.ToJson())]);
}

/// <summary>A mapping; keys are unique.</summary>
public sealed record YamlMap(int Line, IReadOnlyList<YamlEntry> Entries) : YamlNode(Line)
{
    /// <inheritdoc/>
    public override string Noun => "a map";

    /// <summary>The entry of a key, or null.</summary>
    public YamlEntry? Find(string key) => Entries.FirstOrDefault(entry => entry.Key == key);

    /// <inheritdoc/>
    public override JsonNode ToJson() => new JsonObject(Entries.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.ToJson())));
}

/// <summary>A key and its value.</summary>
/// <param name="Key">As written, without quotes.</param>
/// <param name="Line">Of the key.</param>
/// <param name="Value">Never null; may say null.</param>
public sealed record YamlEntry(string Key, int Line, YamlNode Value);
