namespace Trestle.WeightsGateway.Filtering;

/// <summary>How a filter runs.</summary>
public sealed record FilterOptions
{
    /// <summary>The engine, on loopback.</summary>
    public required Uri Engine { get; init; }

    /// <summary>Where public routes are served.</summary>
    public string Public { get; init; } = "http://*:8080";

    /// <summary>Where control routes are served.</summary>
    public string Control { get; init; } = "http://*:8081";

    /// <summary>Control routes are public too.</summary>
    public bool OpenAdmin { get; init; }
}
