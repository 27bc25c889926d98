namespace Trestle.Local.ApiMachinery.Cel;

internal enum CelKind { Dyn, Null, Bool, Int, Uint, Double, String, Bytes, List, Map, Object, Duration, Timestamp, Type, Optional, Quantity }

/// <summary>The static type of an expression, with the most elements (characters, items, entries) a value of it can have.</summary>
internal sealed record CelType(CelKind Kind)
{
    public const ulong UnknownSize = ulong.MaxValue;

    public static readonly CelType Dyn = new(CelKind.Dyn);
    public static readonly CelType Null = new(CelKind.Null);
    public static readonly CelType Bool = new(CelKind.Bool) { MinSerialized = 4 };
    public static readonly CelType Int = new(CelKind.Int) { MinSerialized = 1 };
    public static readonly CelType Uint = new(CelKind.Uint) { MinSerialized = 1 };
    public static readonly CelType Double = new(CelKind.Double) { MinSerialized = 1 };
    public static readonly CelType String = new(CelKind.String) { MinSerialized = 2 };
    public static readonly CelType Bytes = new(CelKind.Bytes) { MinSerialized = 2 };
    public static readonly CelType Duration = new(CelKind.Duration) { MinSerialized = 2 };
    public static readonly CelType Timestamp = new(CelKind.Timestamp) { MinSerialized = 21 };
    public static readonly CelType Type = new(CelKind.Type);
    public static readonly CelType Quantity = new(CelKind.Quantity);

    /// <summary>Item, entry value, or what an optional holds.</summary>
    public CelType? Element { get; init; }

    /// <summary>Fields of an object, by their CEL names.</summary>
    public IReadOnlyDictionary<string, CelType>? Fields { get; init; }

    /// <summary>Greatest size; scalars have none to speak of.</summary>
    public ulong Size { get; init; } = UnknownSize;

    /// <summary>Fewest bytes of JSON a value takes.</summary>
    public long MinSerialized { get; init; } = 2;

    public bool HasSize => Kind is CelKind.String or CelKind.Bytes or CelKind.List or CelKind.Map or CelKind.Dyn;

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
