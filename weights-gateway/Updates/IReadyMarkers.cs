namespace Trestle.WeightsGateway.Updates;

/// <summary>Knows whether a version in a storage is complete.</summary>
public interface IReadyMarkers
{
    /// <summary>Whether markers beside this address can be seen from here.</summary>
    bool CanSee(string uri);

    /// <summary>Null when the marker is there; else why the version can't be taken yet.</summary>
    Task<string?> WhyNotAsync(string uri, string marker, CancellationToken ct);
}
