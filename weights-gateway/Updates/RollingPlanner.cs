using System.Globalization;

namespace Trestle.WeightsGateway.Updates;

/// <summary>Sizes of the batches of a rolling change. Pure.</summary>
public static class RollingPlanner
{
    /// <summary>How many of so many may be out at a time: at least one, and not all of several.</summary>
    /// <param name="maxUnavailable">A number or a percentage, e.g. 25%.</param>
    /// <param name="replicas">How many there are.</param>
    public static int BatchOf(string maxUnavailable, int replicas)
    {
        ArgumentNullException.ThrowIfNull(maxUnavailable);
        var text = maxUnavailable.TrimEnd('%');
        var number = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var read) ? read : 1;
        var size = text.Length < maxUnavailable.Length ? (int)((long)replicas * number / 100) : number;
        return Math.Clamp(size, 1, Math.Max(1, replicas - 1));
    }
}
