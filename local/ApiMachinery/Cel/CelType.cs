namespace Trestle.Local.ApiMachinery.Cel;

internal enum CelKind { Dyn, Null, Bool, Int, Uint, Double, String, Bytes, List, Map, Object, Duration, Timestamp, Type, Optional, Quantity }

/// <summary>The static type of an expression, with the most elements (characters, items, entries) a value of it can have.</summary>
internal sealed record CelType(CelKind Kind)
{
    public const ulong UnknownSize = ulong.MaxValue;

    public static readonly CelType Dyn = new(CelKind.Dyn);
    public static readonly CelType Null = new(CelKind.Null) { Size = 1 };
    public static readonly CelType Bool = new(CelKind.Bool) { Size = 1, MinSerialized = 4 };
    public static readonly CelType Int = new(CelKind.Int) { Size = 1, MinSerialized = 1 };
    public static readonly CelType Uint = new(CelKind.Uint) { Size = 1, MinSerialized = 1 };
    public static readonly CelType Double = new(CelKind.Double) { Size = 1, MinSerialized = 1 };
    public static readonly CelType String = new(CelKind.String);
    public static readonly CelType Bytes = new(CelKind.Bytes);
    public static readonly CelType Duration = new(CelKind.Duration) { Size = 1, MinSerialized = 3 };
    public static readonly CelType Timestamp = new(CelKind.Timestamp) { Size = 1, MinSerialized = 21 };
    public static readonly CelType Type = new(CelKind.Type) { Size = 1 };
    public static readonly CelType Quantity = new(CelKind.Quantity);

    /// <summary>Item, entry value, or what an optional holds.</summary>
    public CelType? Element { get; init; }

    /// <summary>Fields of an object, by their CEL names.</summary>
    public IReadOnlyDictionary<string, CelType>? Fields { get; init; }

    /// <summary>Greatest size of a value; a scalar that was computed counts as one.</summary>
    public ulong Size { get; init; } = UnknownSize;

    /// <summary>Greatest size of a key of a map.</summary>
    public ulong KeySize { get; init; } = UnknownSize;

    /// <summary>Fewest bytes of JSON a value takes.</summary>
    public long MinSerialized { get; init; } = 2;

    /// <summary>The type of a value whose bounds in the schema are out of sight, as cel-go sees <c>map.key</c>.</summary>
    public CelType AsComputed => this with
    {
        Size = Kind is CelKind.Bool or CelKind.Int or CelKind.Uint or CelKind.Double or CelKind.Duration or CelKind.Timestamp ? 1UL : UnknownSize,
    };

    public static CelType ListOf(CelType element, ulong size = UnknownSize) => new(CelKind.List) { Element = element, Size = size };

    public static CelType MapOf(CelType value, ulong size = UnknownSize) => new(CelKind.Map) { Element = value, Size = size };

    public static CelType OptionalOf(CelType value) => new(CelKind.Optional) { Element = value };

    /// <summary>The name the messages use.</summary>
    public string Name => Kind switch
    {
        CelKind.List => $"list({Element?.Name ?? "dyn"})",
        CelKind.Map => $"map(string, {Element?.Name ?? "dyn"})",
        CelKind.Optional => $"optional_type({Element?.Name ?? "dyn"})",
        CelKind.Duration => "google.protobuf.Duration",
        CelKind.Timestamp => "google.protobuf.Timestamp",
        CelKind.Quantity => "kubernetes.Quantity",
        CelKind.Object => "object",
        _ => Kind.ToString().ToLowerInvariant(),
    };

    /// <summary>True when a value of one may stand where the other is wanted.</summary>
    public bool Accepts(CelType other) =>
        Kind == CelKind.Dyn || other.Kind == CelKind.Dyn
        || (Kind == other.Kind && Kind switch
        {
            CelKind.List or CelKind.Map or CelKind.Optional => (Element ?? Dyn).Accepts(other.Element ?? Dyn),
            CelKind.Object => Fields is null || other.Fields is null || Fields.Keys.ToHashSet(StringComparer.Ordinal).SetEquals(other.Fields.Keys),
            _ => true,
        });
}
