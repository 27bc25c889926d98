using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Trestle.Local.ApiMachinery;

/// <summary>One <c>x-kubernetes-validations</c> rule as written.</summary>
internal sealed record RuleText(string Rule, string Message, string MessageExpression, string? Reason, string FieldPath, bool? OptionalOldSelf)
{
    /// <summary>The rule as the server prints it in errors.</summary>
    public JsonObject ToJson() => new()
    {
        [nameof(Rule)] = Rule,
        [nameof(Message)] = Message,
        [nameof(MessageExpression)] = MessageExpression,
        [nameof(Reason)] = Reason,
        [nameof(FieldPath)] = FieldPath,
        [nameof(OptionalOldSelf)] = OptionalOldSelf,
    };
}

/// <summary>One node of a structural OpenAPI v3 schema, parsed.</summary>
internal sealed class SchemaNode
{
    public string Type { get; init; } = "";
    public string Format { get; init; } = "";
    public bool Nullable { get; init; }
    public bool PreserveUnknown { get; init; }
    public bool IntOrString { get; init; }
    public bool EmbeddedResource { get; init; }
    public string ListType { get; init; } = "";
    public string MapType { get; init; } = "";
    public IReadOnlyList<string> ListKeys { get; init; } = [];
    public IReadOnlyDictionary<string, SchemaNode> Properties { get; init; } = new Dictionary<string, SchemaNode>(StringComparer.Ordinal);
    public IReadOnlyList<string> Required { get; init; } = [];
    public SchemaNode? Additional { get; init; }
    public bool AdditionalAllowed { get; init; }
    public SchemaNode? Items { get; init; }
    public bool HasDefault { get; init; }
    public JsonNode? Default { get; init; }
    public JsonArray? Enum { get; init; }
    public double? Minimum { get; init; }
    public double? Maximum { get; init; }
    public bool ExclusiveMinimum { get; init; }
    public bool ExclusiveMaximum { get; init; }
    public double? MultipleOf { get; init; }
    public long? MinLength { get; init; }
    public long? MaxLength { get; init; }
    public long? MinItems { get; init; }
    public long? MaxItems { get; init; }
    public long? MinProperties { get; init; }
    public long? MaxProperties { get; init; }
    public bool UniqueItems { get; init; }
    public string Pattern { get; init; } = "";
    public Regex? PatternRegex { get; init; }
    public IReadOnlyList<SchemaNode> AllOf { get; init; } = [];
    public IReadOnlyList<SchemaNode> AnyOf { get; init; } = [];
    public IReadOnlyList<SchemaNode> OneOf { get; init; } = [];
    public SchemaNode? Not { get; init; }
    public IReadOnlyList<RuleText> Rules { get; init; } = [];

    /// <summary>The compiled rules; filled when the schema is registered.</summary>
    public IReadOnlyList<Cel.CompiledRule> Compiled { get; set; } = [];

    /// <summary>True when this node or one below has rules.</summary>
    public bool AnyRules => anyRules ??= Rules.Count > 0 || Properties.Values.Any(p => p.AnyRules) || Items is { AnyRules: true } || Additional is { AnyRules: true };

    private bool? anyRules;

    /// <summary>The children that hold data, with the segment the schema's path gets for each.</summary>
    public IEnumerable<(string Segment, SchemaNode Node)> Children()
    {
        foreach (var (name, node) in Properties) yield return ($".properties[{name}]", node);
        if (Additional is not null) yield return (".additionalProperties", Additional);
        if (Items is not null) yield return (".items", Items);
    }
}
