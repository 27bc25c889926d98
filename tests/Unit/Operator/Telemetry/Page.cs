using System.Globalization;
using System.Text;
using Trestle.Operator.Telemetry;

namespace Trestle.Operator.Tests.Telemetry;

/// <summary>What Prometheus would read.</summary>
internal static class Page
{
    public static async Task<string> TextAsync(this OperatorMetrics metrics)
    {
        using var page = new MemoryStream();
        await metrics.WriteAsync(page, CancellationToken.None);
        return Encoding.UTF8.GetString(page.ToArray());
    }

    /// <summary>Value of a series as it is written; null when it is not there.</summary>
    public static async Task<double?> ValueAsync(this OperatorMetrics metrics, string series) =>
        (await metrics.TextAsync()).Split('\n').FirstOrDefault(line => line.StartsWith(series + " ", StringComparison.Ordinal)) is { } line
            ? double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture)
            : null;
}
