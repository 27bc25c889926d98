namespace Trestle.Runtime;

/// <summary>Types of Prometheus.</summary>
public enum MetricType
{
    /// <summary>Only grows, from 0 at the start of the process.</summary>
    Counter,

    /// <summary>What is so now.</summary>
    Gauge,

    /// <summary>Observations, counted by size.</summary>
    Histogram,
}

/// <summary>One metric, as it is made and as docs/reference/metrics.md tells of it.</summary>
/// <param name="Name">Name with the unit at its end.</param>
/// <param name="Type">Its type.</param>
/// <param name="Unit">What is counted or measured.</param>
/// <param name="Labels">Names of its labels.</param>
/// <param name="Meaning">One sentence.</param>
public sealed record MetricDefinition(string Name, MetricType Type, string Unit, IReadOnlyList<string> Labels, string Meaning)
{
    /// <summary>Upper bounds of the buckets of a histogram.</summary>
    public IReadOnlyList<double>? Buckets { get; init; }
}
