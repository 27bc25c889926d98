using System.Globalization;

namespace Trestle.WeightsGateway.Engines;

/// <summary>Reads the few series of vLLM's /metrics that are looked at; engines of one server are added up. Pure.</summary>
public static class EngineMetrics
{
    private const string Running = "vllm:num_requests_running";
    private const string Waiting = "vllm:num_requests_waiting";
    private const string Tokens = "vllm:generation_tokens_total";

    /// <summary>What the page says; 0 for a series that is not there.</summary>
    public static EngineLoad Read(string page)
    {
        ArgumentNullException.ThrowIfNull(page);
        var (running, waiting, tokens) = (0d, 0d, 0d);
        foreach (var line in page.AsSpan().EnumerateLines())
        {
            running += Value(line, Running);
            waiting += Value(line, Waiting);
            tokens += Value(line, Tokens);
        }

        return new EngineLoad(running, waiting, tokens);
    }

    private static double Value(ReadOnlySpan<char> line, string series)
    {
        if (!line.StartsWith(series, StringComparison.Ordinal) || line.Length == series.Length || line[series.Length] is not ('{' or ' ')) return 0;
        var value = line[(line.LastIndexOf(' ') + 1)..];
        return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : 0;
    }
}
