using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>One kind the server stores: how it is named, listed, typed and ruled.</summary>
internal sealed record ResourceDefinition
{
    public static readonly IReadOnlyList<string> AllVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    private static readonly IReadOnlySet<string> NameFields = new HashSet<string>(StringComparer.Ordinal) { "metadata.name", "metadata.namespace" };

    public required string Group { get; init; }
    public required string Version { get; init; }
    public required string Plural { get; init; }
    public required string Singular { get; init; }
    public required string Kind { get; init; }
    public string ListKind { get => field ?? Kind + "List"; init; }
    public required bool IsNamespaced { get; init; }
    public IReadOnlyList<string> ShortNames { get; init; } = [];
    public IReadOnlyList<string> Categories { get; init; } = [];
    public IReadOnlyList<string> Verbs { get; init; } = AllVerbs;
    public bool HasStatus { get; init; }
    public ScalePaths? Scale { get; init; }

    /// <summary>Subresources with their own handler, as discovery names them.</summary>
    public IReadOnlyList<SubresourceDefinition> Subresources { get; init; } = [];

    /// <summary>True where metadata.generation counts changes of the desired state.</summary>
    public bool HasGeneration { get; init; }

    /// <summary>Set for custom resources only.</summary>
    public StructuralSchema? Schema { get; init; }
    public required TypeSchema Types { get; init; }
    public KindRules Rules { get; init; } = KindRules.None;
    public IReadOnlyList<TableColumn> Columns { get; init; } = [];
    public IReadOnlySet<string> SelectableFields { get; init; } = NameFields;

    /// <summary>A sentence sent as a warning on creation, for kinds that nothing acts on here.</summary>
    public string? CreationWarning { get; init; }

    public bool IsCustom => Schema is not null;
    public string StorageKey => Group + "/" + Plural;
    public string ApiVersion => Group.Length == 0 ? Version : Group + "/" + Version;
    public string QualifiedName => Group.Length == 0 ? Plural : Plural + "." + Group;
    public string QualifiedKind => Group.Length == 0 ? Kind : Kind + "." + Group;

    public static IReadOnlySet<string> Selectable(params string[] fields) => new HashSet<string>(NameFields.Concat(fields), StringComparer.Ordinal);
}

/// <summary>Where a kind keeps what its scale subresource shows; paths such as <c>.spec.nodes</c>.</summary>
internal sealed record ScalePaths(string SpecReplicas, string StatusReplicas, string? Selector)
{
    public static readonly ScalePaths Standard = new(".spec.replicas", ".status.replicas", ".spec.selector");

    /// <summary>What is wrong with the replicas of an object, in the words of a real server.</summary>
    public IEnumerable<FieldError> Check(JsonObject content)
    {
        var value = content.At(SpecReplicas);
        if (value is null || value.AsInteger() is >= 0) yield break;
        yield return value.AsInteger() is { } negative
            ? FieldError.Invalid(SpecReplicas, negative, "should be a non-negative integer")
            : FieldError.Invalid(SpecReplicas, 0, $"{SpecReplicas} accessor error: {value.AsText() ?? value.ToJsonString()} is of the type {(value.AsText() is null ? value.GetValueKind().ToString().ToLowerInvariant() : "string")}, expected int64");
    }
}

internal sealed record SubresourceDefinition(string Name, string Kind, IReadOnlyList<string> Verbs, string Group = "", string Version = "");

/// <summary>A column of <c>kubectl get</c>.</summary>
internal sealed record TableColumn(string Name, string Type, string Description, int Priority, Func<JsonObject, DateTimeOffset, JsonNode?> Read, string Format = "");
