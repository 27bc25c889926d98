using System.Text;

namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>The functions rules may call: CEL's own, its string extensions, and Kubernetes' lists, regular expressions and quantities.</summary>
internal static class CelFunctions
{
    private static readonly CelType List = CelType.ListOf(CelType.Dyn);
    private static readonly CelType Texts = CelType.ListOf(CelType.String);
    private static readonly CelType AnyMap = CelType.MapOf(CelType.Dyn);
    private static readonly CelType AnyOptional = CelType.OptionalOf(CelType.Dyn);

    private static readonly Dictionary<(string, bool, int), CelFunction[]> ByName = All()
        .GroupBy(f => (f.Name, f.IsMethod, f.Parameters.Count)).ToDictionary(g => g.Key, g => g.ToArray());

    private static readonly HashSet<string> Names = ByName.Keys.Select(k => k.Item1).ToHashSet(StringComparer.Ordinal);

    public static bool Exists(string name) => Names.Contains(name);

    public static IReadOnlyList<CelFunction> Find(string name, bool isMethod, int parameters) => ByName.GetValueOrDefault((name, isMethod, parameters)) ?? [];

    private static IEnumerable<CelFunction> All() => [.. Sizes(), .. Conversions(), .. Strings(), .. Searches(), .. Lists(), .. Times(), .. Quantities(), .. Optionals()];

    private static IEnumerable<CelFunction> Sizes()
    {
        foreach (var method in new[] { false, true })
        {
            yield return new("size", method, [CelType.String], CelType.Int, a => CelConversions.Length((string)a[0]!));
            yield return new("size", method, [CelType.Bytes], CelType.Int, a => (long)((byte[])a[0]!).Length);
            yield return new("size", method, [List], CelType.Int, a => (long)((IReadOnlyList<object?>)a[0]!).Count);
            yield return new("size", method, [AnyMap], CelType.Int, a => (long)((ICelMap)a[0]!).Count);
        }
    }

    private static IEnumerable<CelFunction> Conversions()
    {
        yield return new("int", false, [CelType.Dyn], CelType.Int, a => CelConversions.ToInt(a[0]));
        yield return new("uint", false, [CelType.Dyn], CelType.Uint, a => CelConversions.ToUint(a[0]));
        yield return new("double", false, [CelType.Dyn], CelType.Double, a => CelConversions.ToDouble(a[0]));
        yield return new("string", false, [CelType.String], CelType.String, a => a[0], a => (1, a[0].Size));
        yield return new("string", false, [CelType.Dyn], CelType.String, a => CelConversions.ToText(a[0]));
        yield return new("bytes", false, [CelType.String], CelType.Bytes, a => Encoding.UTF8.GetBytes((string)a[0]!), a => (Traverse(a[0]), Cost.Multiply(a[0].Size, 4)));
        yield return new("bool", false, [CelType.Dyn], CelType.Bool, a => CelConversions.ToBool(a[0]));
        yield return new("duration", false, [CelType.String], CelType.Duration, a => CelConversions.ToDuration((string)a[0]!));
        yield return new("timestamp", false, [CelType.String], CelType.Timestamp, a => CelConversions.ToTimestamp((string)a[0]!));
        yield return new("type", false, [CelType.Dyn], CelType.Type, a => new CelTypeValue(CelConversions.TypeName(a[0])));
        yield return new("dyn", false, [CelType.Dyn], CelType.Dyn, a => a[0], a => (1, a[0].Size));
    }

    private static IEnumerable<CelFunction> Strings()
    {
        yield return new("startsWith", true, [CelType.String, CelType.String], CelType.Bool, a => Text(a, 0).StartsWith(Text(a, 1), StringComparison.Ordinal), a => (Traverse(a[1]), 1));
        yield return new("endsWith", true, [CelType.String, CelType.String], CelType.Bool, a => Text(a, 0).EndsWith(Text(a, 1), StringComparison.Ordinal), a => (Traverse(a[1]), 1));
        yield return new("contains", true, [CelType.String, CelType.String], CelType.Bool, a => Text(a, 0).Contains(Text(a, 1), StringComparison.Ordinal), a => (Cost.Multiply(Traverse(a[0]), Traverse(a[1])), 1));
        yield return new("lowerAscii", true, [CelType.String], CelType.String, a => CelConversions.MapAscii(Text(a, 0), char.ToLowerInvariant), SameSize);
        yield return new("upperAscii", true, [CelType.String], CelType.String, a => CelConversions.MapAscii(Text(a, 0), char.ToUpperInvariant), SameSize);
        yield return new("trim", true, [CelType.String], CelType.String, a => Text(a, 0).Trim(), SameSize);
        yield return new("substring", true, [CelType.String, CelType.Int], CelType.String, a => CelConversions.Substring(Text(a, 0), (long)a[1]!, null), SameSize);
        yield return new("substring", true, [CelType.String, CelType.Int, CelType.Int], CelType.String, a => CelConversions.Substring(Text(a, 0), (long)a[1]!, (long)a[2]!), SameSize);
        yield return new("charAt", true, [CelType.String, CelType.Int], CelType.String, a => CelConversions.CharAt(Text(a, 0), (long)a[1]!), a => (1, 4));
        yield return new("replace", true, [CelType.String, CelType.String, CelType.String], CelType.String, a => CelConversions.Replace(Text(a, 0), Text(a, 1), Text(a, 2), -1), Replaced);
        yield return new("replace", true, [CelType.String, CelType.String, CelType.String, CelType.Int], CelType.String, a => CelConversions.Replace(Text(a, 0), Text(a, 1), Text(a, 2), (long)a[3]!), Replaced);
        yield return new("split", true, [CelType.String, CelType.String], Texts, a => CelConversions.Split(Text(a, 0), Text(a, 1), -1), a => (Cost.Scale(a[0].Size, 2 * Cost.PerCharacter), a[0].Size));
        yield return new("split", true, [CelType.String, CelType.String, CelType.Int], Texts, a => CelConversions.Split(Text(a, 0), Text(a, 1), (long)a[2]!), a => (Cost.Scale(a[0].Size, 2 * Cost.PerCharacter), a[0].Size));
        yield return new("join", true, [Texts], CelType.String, a => CelConversions.Join((IReadOnlyList<object?>)a[0]!, ""), Joined);
        yield return new("join", true, [Texts, CelType.String], CelType.String, a => CelConversions.Join((IReadOnlyList<object?>)a[0]!, Text(a, 1)), Joined);
        foreach (var name in new[] { "isIP", "isCIDR" })
            yield return new(name, false, [CelType.String], CelType.Bool, a => StringFormats.Matches(name == "isCIDR" ? "cidr" : Text(a, 0).Contains(':', StringComparison.Ordinal) ? "ipv6" : "ipv4", Text(a, 0)), a => (Traverse(a[0]), 1));
    }

    private static IEnumerable<CelFunction> Searches()
    {
        yield return new("matches", true, [CelType.String, CelType.String], CelType.Bool, a => CelConversions.Pattern(Text(a, 1)).IsMatch(Text(a, 0)), a => (Search(a), 1));
        yield return new("matches", false, [CelType.String, CelType.String], CelType.Bool, a => CelConversions.Pattern(Text(a, 1)).IsMatch(Text(a, 0)), a => (Search(a), 1));
        yield return new("find", true, [CelType.String, CelType.String], CelType.String, a => CelConversions.Pattern(Text(a, 1)).Match(Text(a, 0)).Value, a => (Search(a), a[0].Size));
        yield return new("findAll", true, [CelType.String, CelType.String], Texts, a => CelConversions.Pattern(Text(a, 1)).Matches(Text(a, 0)).Select(m => (object?)m.Value).ToList(), a => (Search(a), a[0].Size));
        yield return new("indexOf", true, [CelType.String, CelType.String], CelType.Int, a => (long)Text(a, 0).IndexOf(Text(a, 1), StringComparison.Ordinal), a => (Traverse(a[0]), 1));
        yield return new("lastIndexOf", true, [CelType.String, CelType.String], CelType.Int, a => (long)Text(a, 0).LastIndexOf(Text(a, 1), StringComparison.Ordinal), a => (Traverse(a[0]), 1));
        yield return new("indexOf", true, [List, CelType.Dyn], CelType.Int, a => CelConversions.IndexOf((IReadOnlyList<object?>)a[0]!, a[1], fromEnd: false), a => (Elements(a[0]), 1));
        yield return new("lastIndexOf", true, [List, CelType.Dyn], CelType.Int, a => CelConversions.IndexOf((IReadOnlyList<object?>)a[0]!, a[1], fromEnd: true), a => (Elements(a[0]), 1));
    }

    private static IEnumerable<CelFunction> Lists()
    {
        yield return new("isSorted", true, [List], CelType.Bool, a => CelConversions.IsSorted((IReadOnlyList<object?>)a[0]!), a => (Elements(a[0]), 1));
        yield return new("sum", true, [List], CelType.Dyn, a => CelConversions.Sum((IReadOnlyList<object?>)a[0]!), a => (Elements(a[0]), 1), ItemType);
        yield return new("min", true, [List], CelType.Dyn, a => CelConversions.Extreme((IReadOnlyList<object?>)a[0]!, -1), a => (Elements(a[0]), CelType.UnknownSize), ItemType);
        yield return new("max", true, [List], CelType.Dyn, a => CelConversions.Extreme((IReadOnlyList<object?>)a[0]!, 1), a => (Elements(a[0]), CelType.UnknownSize), ItemType);
    }

    private static IEnumerable<CelFunction> Times()
    {
        yield return new("getHours", true, [CelType.Duration], CelType.Int, a => (long)((TimeSpan)a[0]!).TotalHours);
        yield return new("getMinutes", true, [CelType.Duration], CelType.Int, a => (long)((TimeSpan)a[0]!).TotalMinutes);
        yield return new("getSeconds", true, [CelType.Duration], CelType.Int, a => (long)((TimeSpan)a[0]!).TotalSeconds);
        yield return new("getMilliseconds", true, [CelType.Duration], CelType.Int, a => (long)((TimeSpan)a[0]!).TotalMilliseconds);
        yield return new("getFullYear", true, [CelType.Timestamp], CelType.Int, a => (long)((DateTimeOffset)a[0]!).UtcDateTime.Year);
        yield return new("getMonth", true, [CelType.Timestamp], CelType.Int, a => (long)((DateTimeOffset)a[0]!).UtcDateTime.Month - 1);
        yield return new("getDayOfMonth", true, [CelType.Timestamp], CelType.Int, a => (long)((DateTimeOffset)a[0]!).UtcDateTime.Day - 1);
        yield return new("getDayOfWeek", true, [CelType.Timestamp], CelType.Int, a => (long)((DateTimeOffset)a[0]!).UtcDateTime.DayOfWeek);
        yield return new("getDate", true, [CelType.Timestamp], CelType.Int, a => (long)((DateTimeOffset)a[0]!).UtcDateTime.Day);
        yield return new("getHours", true, [CelType.Timestamp], CelType.Int, a => (long)((DateTimeOffset)a[0]!).UtcDateTime.Hour);
        yield return new("getMinutes", true, [CelType.Timestamp], CelType.Int, a => (long)((DateTimeOffset)a[0]!).UtcDateTime.Minute);
        yield return new("getSeconds", true, [CelType.Timestamp], CelType.Int, a => (long)((DateTimeOffset)a[0]!).UtcDateTime.Second);
    }

    private static IEnumerable<CelFunction> Quantities()
    {
        yield return new("quantity", false, [CelType.String], CelType.Quantity, a => CelConversions.ToQuantity(Text(a, 0)), a => (Traverse(a[0]), 1));
        yield return new("isQuantity", false, [CelType.String], CelType.Bool, a => CelQuantity.TryParse(Text(a, 0), out _), a => (Traverse(a[0]), 1));
        yield return new("isGreaterThan", true, [CelType.Quantity, CelType.Quantity], CelType.Bool, a => Amount(a, 0) > Amount(a, 1));
        yield return new("isLessThan", true, [CelType.Quantity, CelType.Quantity], CelType.Bool, a => Amount(a, 0) < Amount(a, 1));
        yield return new("compareTo", true, [CelType.Quantity, CelType.Quantity], CelType.Int, a => (long)Amount(a, 0).CompareTo(Amount(a, 1)));
        yield return new("sign", true, [CelType.Quantity], CelType.Int, a => (long)Math.Sign(Amount(a, 0)));
        yield return new("isInteger", true, [CelType.Quantity], CelType.Bool, a => Amount(a, 0) == decimal.Truncate(Amount(a, 0)) && Math.Abs(Amount(a, 0)) <= long.MaxValue);
        yield return new("asInteger", true, [CelType.Quantity], CelType.Int, a => CelConversions.ToInt(Amount(a, 0)));
        yield return new("asApproximateFloat", true, [CelType.Quantity], CelType.Double, a => (double)Amount(a, 0));
    }

    private static IEnumerable<CelFunction> Optionals()
    {
        yield return new("optional.of", false, [CelType.Dyn], AnyOptional, a => new CelOptional(true, a[0]), null, a => CelType.OptionalOf(a[0].Type));
        yield return new("optional.none", false, [], AnyOptional, _ => CelOptional.None);
        yield return new("hasValue", true, [AnyOptional], CelType.Bool, a => ((CelOptional)a[0]!).HasValue);
        yield return new("value", true, [AnyOptional], CelType.Dyn, a => a[0] is CelOptional { HasValue: true } o ? o.Value : throw new CelException("optional.none() dereference"), null, ItemType);
        yield return new("orValue", true, [AnyOptional, CelType.Dyn], CelType.Dyn, a => a[0] is CelOptional { HasValue: true } o ? o.Value : a[1], null, ItemType);
        yield return new("or", true, [AnyOptional, AnyOptional], AnyOptional, a => ((CelOptional)a[0]!).HasValue ? a[0] : a[1], null, a => a[0].Type);
    }

    private static string Text(IReadOnlyList<object?> arguments, int index) => (string)arguments[index]!;

    private static decimal Amount(IReadOnlyList<object?> arguments, int index) => ((CelQuantity)arguments[index]!).Value;

    private static CelType ItemType(IReadOnlyList<Typed> arguments) => arguments[0].Type.Element ?? CelType.Dyn;

    private static ulong Traverse(Typed text) => Cost.Scale(text.Size, Cost.PerCharacter);

    private static ulong Elements(Typed list)
    {
        var item = list.Type.Element ?? CelType.Dyn;
        return Cost.Multiply(list.Size, item.Kind is CelKind.String or CelKind.Bytes ? Cost.Add(1, Cost.Scale(item.Size, Cost.PerCharacter)) : 1);
    }

    private static ulong Search(IReadOnlyList<Typed> arguments) =>
        Cost.Multiply(Cost.Scale(Cost.Add(arguments[0].Size, 1), Cost.PerCharacter), Cost.Scale(arguments[1].Size, Cost.PerPatternCharacter));

    private static (ulong, ulong) SameSize(IReadOnlyList<Typed> arguments) => (Traverse(arguments[0]), arguments[0].Size);

    private static (ulong, ulong) Replaced(IReadOnlyList<Typed> arguments)
    {
        var size = arguments[0].Size;
        var result = arguments[2].Size <= 1 ? size : Cost.Add(size, Cost.Multiply(Cost.Add(size, 1), arguments[2].Size));
        return (Cost.Scale(size, 2 * Cost.PerCharacter), result);
    }

    private static (ulong, ulong) Joined(IReadOnlyList<Typed> arguments)
    {
        var size = Cost.Multiply(arguments[0].Size, (arguments[0].Type.Element ?? CelType.Dyn).Size);
        if (arguments.Count > 1) size = Cost.Add(size, Cost.Multiply(Math.Max(arguments[0].Size, 1) - 1, arguments[1].Size));
        return (Cost.Scale(size, Cost.PerCharacter), size);
    }
}
