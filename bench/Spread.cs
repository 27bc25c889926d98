namespace Trestle.Bench;

/// <summary>Quantiles.</summary>
public static class Spread
{
    public static double Median(IEnumerable<double> values) => Quantile(values, 0.5);

    /// <summary>The smallest value that at least this share of the values does not exceed.</summary>
    public static double Quantile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToList();
        if (sorted.Count == 0) throw new ArgumentException("there are no values", nameof(values));
        return Math.Round(sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Count) - 1, 0, sorted.Count - 1)], 4);
    }
}
