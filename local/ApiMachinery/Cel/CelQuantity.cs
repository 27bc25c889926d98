using System.Globalization;

namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>A Kubernetes quantity: <c>64Gi</c>, <c>500m</c>, <c>1e3</c>.</summary>
internal readonly record struct CelQuantity(decimal Value)
{
    private static readonly Dictionary<string, decimal> Suffixes = new(StringComparer.Ordinal)
    {
        [""] = 1,
        ["n"] = 1e-9m,
        ["u"] = 1e-6m,
        ["m"] = 1e-3m,
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

    public static bool TryParse(string text, out CelQuantity quantity)
    {
        quantity = default;
        var digits = 0;
        while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] is '.' or '+' or '-')) digits++;
        if (digits > 28 || !decimal.TryParse(text.AsSpan(0, digits), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)) return false;
        var suffix = text[digits..];
        if (!Suffixes.TryGetValue(suffix, out var factor))
        {
            if (suffix.Length is < 2 or > 4 || suffix[0] is not ('e' or 'E') || !int.TryParse(suffix.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent)) return false;
            if (exponent is < -20 or > 27) return false;
            factor = (decimal)Math.Pow(10, exponent);
        }

        try
        {
            quantity = new CelQuantity(number * factor);
            return true;
        }
        catch (OverflowException)
        {
            return false;
        }
    }
}
