using System.Collections;

namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>Equality, order and arithmetic of CEL values.</summary>
internal static class CelOperators
{
    private const int MaxDepth = 100;

    public static CelKind KindOf(object? value) => value switch
    {
        null => CelKind.Null,
        bool => CelKind.Bool,
        long => CelKind.Int,
        ulong => CelKind.Uint,
        double => CelKind.Double,
        string => CelKind.String,
        byte[] => CelKind.Bytes,
        ICelMap => CelKind.Map,
        IReadOnlyList<object?> => CelKind.List,
        TimeSpan => CelKind.Duration,
        DateTimeOffset => CelKind.Timestamp,
        CelTypeValue => CelKind.Type,
        CelOptional => CelKind.Optional,
        CelQuantity => CelKind.Quantity,
        _ => CelKind.Dyn,
    };

    public static bool AreEqual(object? left, object? right, int depth = 0)
    {
        if (depth > MaxDepth) throw new CelException("values are nested too deep to compare");
        return (left, right) switch
        {
            (null, null) => true,
            (null, _) or (_, null) => false,
            (byte[] a, byte[] b) => a.AsSpan().SequenceEqual(b),
            (ICelMap a, ICelMap b) => a.Count == b.Count && a.Keys.All(k => a.TryGet(k, out var x) && b.TryGet(k, out var y) && AreEqual(x, y, depth + 1)),
            (IReadOnlyList<object?> a, IReadOnlyList<object?> b) => a.Count == b.Count && a.Zip(b).All(p => AreEqual(p.First, p.Second, depth + 1)),
            (CelOptional a, CelOptional b) => a.HasValue == b.HasValue && AreEqual(a.Value, b.Value, depth + 1),
            (long or ulong or double, long or ulong or double) => TryCompareNumbers(left, right, out var order) && order == 0,
            _ => left.Equals(right),
        };
    }

    public static int Compare(object? left, object? right) => (left, right) switch
    {
        (string a, string b) => string.CompareOrdinal(a, b),
        (bool a, bool b) => a.CompareTo(b),
        (byte[] a, byte[] b) => a.AsSpan().SequenceCompareTo(b),
        (TimeSpan a, TimeSpan b) => a.CompareTo(b),
        (DateTimeOffset a, DateTimeOffset b) => a.CompareTo(b),
        (long or ulong or double, long or ulong or double) => TryCompareNumbers(left, right, out var order) ? order : throw new CelException("NaN values cannot be ordered"),
        _ => throw NoOverload(),
    };

    public static object Arithmetic(string op, object? left, object? right)
    {
        try
        {
            return checked((op, left, right) switch
            {
                ("_+_", long a, long b) => a + b,
                ("_-_", long a, long b) => a - b,
                ("_*_", long a, long b) => a * b,
                ("_/_", long a, long b) => b == 0 ? throw new CelException("division by zero") : a / b,
                ("_%_", long a, long b) => b == 0 ? throw new CelException("modulus by zero") : b == -1 ? 0 : a % b,
                ("_+_", ulong a, ulong b) => a + b,
                ("_-_", ulong a, ulong b) => a - b,
                ("_*_", ulong a, ulong b) => a * b,
                ("_/_", ulong a, ulong b) => b == 0 ? throw new CelException("division by zero") : a / b,
                ("_%_", ulong a, ulong b) => b == 0 ? throw new CelException("modulus by zero") : a % b,
                ("_+_", double a, double b) => a + b,
                ("_-_", double a, double b) => a - b,
                ("_*_", double a, double b) => a * b,
                ("_/_", double a, double b) => a / b,
                ("_+_", string a, string b) => a + b,
                ("_+_", byte[] a, byte[] b) => a.Concat(b).ToArray(),
                ("_+_", IReadOnlyList<object?> a, IReadOnlyList<object?> b) => new ConcatenatedList(a, b),
                ("_+_", TimeSpan a, TimeSpan b) => a + b,
                ("_-_", TimeSpan a, TimeSpan b) => a - b,
                ("_+_", DateTimeOffset a, TimeSpan b) => a + b,
                ("_+_", TimeSpan a, DateTimeOffset b) => b + a,
                ("_-_", DateTimeOffset a, TimeSpan b) => a - b,
                ("_-_", DateTimeOffset a, DateTimeOffset b) => (object)(a - b),
                _ => throw NoOverload(),
            });
        }
        catch (Exception e) when (e is OverflowException or ArgumentOutOfRangeException)
        {
            throw new CelException("integer overflow");
        }
    }

    public static object Negate(object? value) => value switch
    {
        long.MinValue => throw new CelException("integer overflow"),
        long a => -a,
        double a => -a,
        TimeSpan a => -a,
        _ => throw NoOverload(),
    };

    public static bool Contains(object? container, object? value) => container switch
    {
        ICelMap map => map.TryGet(value, out _),
        IReadOnlyList<object?> list => list.Any(i => AreEqual(i, value)),
        _ => throw NoOverload(),
    };

    public static CelException NoOverload() => new("no such overload");

    private static bool TryCompareNumbers(object left, object right, out int order)
    {
        order = 0;
        switch (left, right)
        {
            case (long a, long b): order = a.CompareTo(b); return true;
            case (ulong a, ulong b): order = a.CompareTo(b); return true;
            case (long a, ulong b): order = a < 0 ? -1 : ((ulong)a).CompareTo(b); return true;
            case (ulong a, long b): order = b < 0 ? 1 : a.CompareTo((ulong)b); return true;
        }

        var (x, y) = (Convert.ToDouble(left, null), Convert.ToDouble(right, null));
        if (double.IsNaN(x) || double.IsNaN(y)) return false;
        order = x.CompareTo(y);
        return true;
    }

    // Concatenation costs one step, so it must not copy; the depth is bounded by the expression's own.
    private sealed class ConcatenatedList(IReadOnlyList<object?> left, IReadOnlyList<object?> right) : IReadOnlyList<object?>
    {
        public int Count { get; } = left.Count + right.Count;

        public object? this[int index] => index < left.Count ? left[index] : right[index - left.Count];

        public IEnumerator<object?> GetEnumerator() => left.Concat(right).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
