using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Trestle.Api.V1Alpha1;

/// <summary>Kubernetes quantities: <c>4</c>, <c>500m</c>, <c>1.5</c>, <c>64Gi</c>, <c>2T</c>, <c>1e3</c>.</summary>
public static class Quantity
{
    /// <summary>What the schema asks of a quantity.</summary>
    public const string Pattern = @"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$";

    /// <summary>Longest text that is read.</summary>
    public const int MaxLength = 64;

    private static readonly Dictionary<string, decimal> Suffixes = new(StringComparer.Ordinal)
    {
        [""] = 1m,
        ["n"] = 0.000_000_001m,
        ["u"] = 0.000_001m,
        ["m"] = 0.001m,
        ["k"] = 1e3m,
        ["M"] = 1e6m,
        ["G"] = 1e9m,
        ["T"] = 1e12m,
        ["P"] = 1e15m,
        ["E"] = 1e18m,
        ["Ki"] = 1L << 10,
        ["Mi"] = 1L << 20,
        ["Gi"] = 1L << 30,
        ["Ti"] = 1L << 40,
        ["Pi"] = 1L << 50,
        ["Ei"] = 1L << 60,
    };

    /// <summary>False when the text is not a quantity of zero or more, or too large to count.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out decimal value)
    {
        value = 0;
        if (string.IsNullOrEmpty(text) || text.Length > MaxLength)
        {
            return false;
        }

        var end = 0;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.'))
        {
            end++;
        }

        if (!decimal.TryParse(text.AsSpan(0, end), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        return TryScale(text[end..], out var scale) && TryMultiply(number, scale, out value);
    }

    /// <summary>The value, or <see cref="FormatException"/> with a sentence.</summary>
    public static decimal Parse(string text) =>
        TryParse(text, out var value) ? value : throw new FormatException($"a quantity is a number with an optional unit, e.g. 4, 500m or 64Gi; got '{text}'");

    /// <summary>Rounded up to whole units (bytes, devices).</summary>
    public static long ParseWhole(string text) => (long)Math.Min(decimal.Ceiling(Parse(text)), long.MaxValue);

    private static bool TryScale(string suffix, out decimal scale)
    {
        if (Suffixes.TryGetValue(suffix, out scale))
        {
            return true;
        }

        var digits = suffix.Length is > 1 and <= 4 && suffix[0] is 'e' or 'E' ? suffix[1..] : "";
        if (!int.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent) || exponent is < -18 or > 18)
        {
            return false;
        }

        scale = 1;
        for (var step = 0; step < Math.Abs(exponent); step++)
        {
            scale = exponent > 0 ? scale * 10 : scale / 10;
        }

        return true;
    }

    private static bool TryMultiply(decimal number, decimal scale, out decimal value)
    {
        value = 0;
        if (number > 0 && scale > 1 && number > decimal.MaxValue / scale)
        {
            return false;
        }

        value = number * scale;
        return true;
    }
}
