namespace Trestle.Api.Schema;

/// <summary>Where objects of a kind live.</summary>
public enum EntityScope
{
    /// <summary>In a namespace.</summary>
    Namespaced,

    /// <summary>In the cluster.</summary>
    Cluster,
}

/// <summary>Scope of a kind; namespaced when absent.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class EntityScopeAttribute(EntityScope scope) : Attribute
{
    /// <summary>Where objects of the kind live.</summary>
    public EntityScope Scope { get; } = scope;
}

/// <summary>A short name that kubectl takes for the kind.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class ShortNameAttribute(string name) : Attribute
{
    /// <summary>Lower case.</summary>
    public string Name { get; } = name;
}

/// <summary>A column of <c>kubectl get</c>, in the order of declaration.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class AdditionalPrinterColumnAttribute(string jsonPath, string name, string type) : Attribute
{
    /// <summary>Path of the value, starting with a dot.</summary>
    public string JsonPath { get; } = jsonPath;

    /// <summary>Header.</summary>
    public string Name { get; } = name;

    /// <summary>string, integer, number, boolean or date.</summary>
    public string Type { get; } = type;

    /// <summary>0 is always shown, 1 with <c>-o wide</c>.</summary>
    public int Priority { get; init; }

    /// <summary>What the column says.</summary>
    public string? Description { get; init; }
}

/// <summary>The scale subresource of a kind.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ScaleSubresourceAttribute(string specReplicasPath, string statusReplicasPath) : Attribute
{
    /// <summary>Path of the wanted number.</summary>
    public string SpecReplicasPath { get; } = specReplicasPath;

    /// <summary>Path of the observed number.</summary>
    public string StatusReplicasPath { get; } = statusReplicasPath;

    /// <summary>Path of the label selector as text.</summary>
    public string? LabelSelectorPath { get; init; }
}

/// <summary>A CEL rule on the value of the property or of every value of the class.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property, AllowMultiple = true)]
public sealed class ValidationRuleAttribute(string rule, string message) : Attribute
{
    /// <summary>CEL over <c>self</c> (and <c>oldSelf</c>).</summary>
    public string Rule { get; } = rule;

    /// <summary>What to change, one sentence.</summary>
    public string Message { get; } = message;

    /// <summary>The field that the answer points at, e.g. <c>.minNodes</c>.</summary>
    public string? FieldPath { get; init; }

    /// <summary>The rule holds for the items of the list instead of the list.</summary>
    public bool OnItems { get; init; }
}

/// <summary>The fields below can't change after creation; the generator writes one transition rule a field.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ImmutableAttribute(params string[] except) : Attribute
{
    /// <summary>Fields that may change, as paths below the property: <c>suspend</c>, <c>scheduling.priority</c>.</summary>
    public IReadOnlyList<string> Except { get; } = except;

    /// <summary>What to delete and create again, e.g. "the job".</summary>
    public string Noun { get; init; } = "the object";
}

/// <summary>The list is a map by this key: two items with the same key are refused, and appliers own items.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ListMapKeyAttribute(string key) : Attribute
{
    /// <summary>JSON name of the key.</summary>
    public string Key { get; } = key;
}

/// <summary>The list is replaced as a whole by an applier.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class AtomicListAttribute : Attribute;

/// <summary>A subtree whose shape is not ours; kept as it is.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public sealed class PreserveUnknownFieldsAttribute : Attribute
{
    /// <summary>True for a value of any type; else an object.</summary>
    public bool AnyType { get; init; }
}

/// <summary>Text that <see cref="V1Alpha1.Duration"/> reads, e.g. 1h30m.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DurationTextAttribute : Attribute;

/// <summary>Text or whole number that <see cref="V1Alpha1.Quantity"/> reads, e.g. 64Gi.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class QuantityTextAttribute : Attribute;

/// <summary>Text or whole number, e.g. a count or a percentage.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class IntOrStringAttribute : Attribute;

/// <summary>
/// Rights that the operator needs for objects of a kind, on the kind itself or on the type that uses them; the chart's roles are
/// made from these. A test holds them to the calls in the code, in both directions.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class EntityRbacAttribute(string apiGroup, string resources, string verbs) : Attribute
{
    /// <summary>"" is the core group.</summary>
    public string ApiGroup { get; } = apiGroup;

    /// <summary>Plural names, comma-separated.</summary>
    public string Resources { get; } = resources;

    /// <summary>Comma-separated.</summary>
    public string Verbs { get; } = verbs;

    /// <summary>Only in the namespace that the operator runs in.</summary>
    public bool InOwnNamespace { get; init; }
}
