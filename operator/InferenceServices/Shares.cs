using System.Globalization;

namespace Trestle.Operator.InferenceServices;

/// <summary>Numbers that may be written as percentages. Pure.</summary>
internal static class Shares
{
    /// <summary>The number, or the percentage of a whole.</summary>
    /// <param name="text">E.g. 2 or 25%; null is the fallback.</param>
    /// <param name="whole">The whole.</param>
    /// <param name="fallback">When absent or neither.</param>
    /// <param name="up">Which way a percentage is rounded.</param>
    public static int Of(string? text, int whole, int fallback, bool up)
    {
        if (text is null) return fallback;
        var isShare = text.EndsWith('%');
        if (!int.TryParse(isShare ? text[..^1] : text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return fallback;
        if (!isShare) return number;
        var share = (long)number * whole;
        return (int)Math.Min((share + (up ? 99 : 0)) / 100, int.MaxValue);
    }
}
