using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>The bodies of functions that are more than a call; every failure is a <see cref="CelException"/>.</summary>
internal static class CelConversions
{
    private const int MaxCachedPatterns = 256;
    private const int MaxText = 8 * 1024 * 1024;
    private static readonly ConcurrentDictionary<string, Regex> Patterns = new(StringComparer.Ordinal);

    public static long ToInt(object? value) => value switch
    {
        long i => i,
        ulong u when u <= long.MaxValue => (long)u,
        double d when d is > -9.2233720368547758E18 and < 9.2233720368547758E18 => (long)d,
        decimal m when m == decimal.Truncate(m) && Math.Abs(m) <= long.MaxValue => (long)m,
        string s when long.TryParse(s, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) => parsed,
        DateTimeOffset t => t.ToUnixTimeSeconds(),
        string or ulong or double or decimal => throw new CelException($"type conversion error from '{TypeName(value)}' to 'int'"),
        _ => throw CelOperators.NoOverload(),
    };

    public static ulong ToUint(object? value) => value switch
    {
        ulong u => u,
        long i when i >= 0 => (ulong)i,
        double d when d is >= 0 and < 18446744073709551615.0 => (ulong)d,
        string s when ulong.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) => parsed,
        string or long or double => throw new CelException($"type conversion error from '{TypeName(value)}' to 'uint'"),
        _ => throw CelOperators.NoOverload(),
    };

    public static double ToDouble(object? value) => value switch
    {
        double d => d,
        long i => i,
        ulong u => u,
        string s when double.TryParse(s, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) => parsed,
        string => throw new CelException("type conversion error from 'string' to 'double'"),
        _ => throw CelOperators.NoOverload(),
    };

    public static bool ToBool(object? value) => value switch
    {
        bool b => b,
        "true" or "True" or "TRUE" or "t" or "T" or "1" => true,
        "false" or "False" or "FALSE" or "f" or "F" or "0" => false,
        string => throw new CelException("type conversion error from 'string' to 'bool'"),
        _ => throw CelOperators.NoOverload(),
    };

    public static string ToText(object? value) => value switch
    {
        string s => s,
        bool b => b ? "true" : "false",
        long i => i.ToString(CultureInfo.InvariantCulture),
        ulong u => u.ToString(CultureInfo.InvariantCulture),
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        TimeSpan t => t.TotalSeconds.ToString(CultureInfo.InvariantCulture) + "s",
        DateTimeOffset t => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture),
        CelQuantity q => q.Value.ToString(CultureInfo.InvariantCulture),
        _ => throw CelOperators.NoOverload(),
    };

    public static TimeSpan ToDuration(string text) => GoDuration.TryParse(text, out var duration) ? duration : throw new CelException("type conversion error from 'string' to 'google.protobuf.Duration'");

    public static DateTimeOffset ToTimestamp(string text) => StringFormats.Matches("date-time", text)
        ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
        : throw new CelException("type conversion error from 'string' to 'google.protobuf.Timestamp'");

    public static CelQuantity ToQuantity(string text) => CelQuantity.TryParse(text, out var quantity) ? quantity : throw new CelException($"unable to parse quantity's suffix: {text}");

    public static string TypeName(object? value) => CelOperators.KindOf(value) switch
    {
        CelKind.Null => "null_type",
        CelKind.Duration => "google.protobuf.Duration",
        CelKind.Timestamp => "google.protobuf.Timestamp",
        CelKind.Optional => "optional_type",
        CelKind.Quantity => "kubernetes.Quantity",
        var kind => kind.ToString().ToLowerInvariant(),
    };

    /// <summary>Characters, not UTF-16 units.</summary>
    public static long Length(string text)
    {
        long count = 0;
        foreach (var _ in text.EnumerateRunes()) count++;
        return count;
    }

    public static string MapAscii(string text, Func<char, char> map) => string.Create(text.Length, (text, map), (span, state) =>
    {
        for (var i = 0; i < span.Length; i++) span[i] = char.IsAscii(state.text[i]) ? state.map(state.text[i]) : state.text[i];
    });

    public static string Substring(string text, long start, long? end)
    {
        var stop = end ?? text.Length;
        if (start < 0 || stop > text.Length || start > stop) throw new CelException($"index out of range: {(start < 0 || start > text.Length ? start : stop)}");
        return text[(int)start..(int)stop];
    }

    public static string CharAt(string text, long index)
    {
        if (index < 0 || index > text.Length) throw new CelException($"index out of range: {index}");
        return index == text.Length ? "" : text[(int)index].ToString();
    }

    public static string Replace(string text, string old, string @new, long limit)
    {
        if (limit == 0) return text;
        var result = new StringBuilder();
        var from = 0;
        for (long count = 0; limit < 0 || count < limit; count++)
        {
            var found = old.Length == 0 ? (from <= text.Length ? from : -1) : text.IndexOf(old, from, StringComparison.Ordinal);
            if (found < 0) break;
            if (result.Length > MaxText) throw new CelException("a string grew beyond the limit", isBudget: true);
            result.Append(text, from, found - from).Append(@new);
            from = found + old.Length;
            if (old.Length > 0) continue;
            if (from < text.Length) result.Append(text[from]);
            from++;
        }

        return from < text.Length ? result.Append(text, from, text.Length - from).ToString() : result.ToString();
    }

    public static IReadOnlyList<object?> Split(string text, string separator, long limit)
    {
        if (limit == 0) return [];
        var count = limit < 0 ? int.MaxValue : (int)Math.Min(limit, int.MaxValue);
        if (separator.Length > 0) return text.Split(separator, count).Select(p => (object?)p).ToList();
        var characters = text.EnumerateRunes().Select(r => (object?)r.ToString()).ToList();
        return characters.Count <= count ? characters : [.. characters.Take(count - 1), string.Concat(characters.Skip(count - 1))];
    }

    public static string Join(IReadOnlyList<object?> items, string separator)
    {
        var texts = items.Select(i => i as string ?? throw CelOperators.NoOverload()).ToList();
        if (texts.Sum(t => (long)t.Length) + ((long)texts.Count * separator.Length) > MaxText) throw new CelException("a string grew beyond the limit", isBudget: true);
        return string.Join(separator, texts);
    }

    public static Regex Pattern(string pattern)
    {
        if (Patterns.TryGetValue(pattern, out var known)) return known;
        try
        {
            var compiled = GoRegex.Compile(pattern);
            if (Patterns.Count < MaxCachedPatterns) Patterns[pattern] = compiled;
            return compiled;
        }
        catch (ArgumentException e)
        {
            throw new CelException("error parsing regexp: " + e.Message);
        }
    }

    public static long IndexOf(IReadOnlyList<object?> list, object? value, bool fromEnd)
    {
        for (var i = 0; i < list.Count; i++)
        {
            var at = fromEnd ? list.Count - 1 - i : i;
            if (CelOperators.AreEqual(list[at], value)) return at;
        }

        return -1;
    }

    public static bool IsSorted(IReadOnlyList<object?> list)
    {
        for (var i = 1; i < list.Count; i++)
            if (CelOperators.Compare(list[i - 1], list[i]) > 0) return false;
        return true;
    }

    public static object? Sum(IReadOnlyList<object?> list)
    {
        if (list.Count == 0) return 0L;
        var sum = list[0];
        if (sum is not (long or ulong or double or TimeSpan)) throw CelOperators.NoOverload();
        for (var i = 1; i < list.Count; i++) sum = CelOperators.Arithmetic("_+_", sum, list[i]);
        return sum;
    }

    public static object? Extreme(IReadOnlyList<object?> list, int direction)
    {
        if (list.Count == 0) throw new CelException($"{(direction < 0 ? "min" : "max")} called on empty list");
        var best = list[0];
        for (var i = 1; i < list.Count; i++)
            if (CelOperators.Compare(list[i], best) * direction > 0) best = list[i];
        return best;
    }
}
