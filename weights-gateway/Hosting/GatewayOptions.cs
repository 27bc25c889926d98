namespace Trestle.WeightsGateway.Hosting;

/// <summary>Where a gateway serves and what it asks for.</summary>
public sealed record GatewayOptions
{
    /// <summary>Where requests are served.</summary>
    public string Public { get; init; } = "http://*:8000";

    /// <summary>Where trainers send weights.</summary>
    public string Weights { get; init; } = "http://*:8001";

    /// <summary>What filters ask for.</summary>
    public required string Token { get; init; }

    /// <summary>How long requests that have begun may take after it was told to end.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.Zero;

    /// <summary>How many bytes of requests that have no answer yet are kept, of all together. A quarter of the memory that its container may have.</summary>
    public long RequestBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>What clients must send; null: nothing.</summary>
    public string? ApiKey { get; init; }
}
