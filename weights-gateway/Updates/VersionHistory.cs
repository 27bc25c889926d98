using System.Collections.Immutable;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Engines;

namespace Trestle.WeightsGateway.Updates;

/// <summary>Versions in the order in which they were completed, oldest first. The first is what engines are started with.</summary>
/// <param name="Versions">At least one.</param>
public sealed record VersionHistory(ImmutableList<string> Versions)
{
    private const int Longest = 1024;

    /// <summary>No update yet.</summary>
    public static VersionHistory Empty { get; } = new([EngineView.FirstVersion]);

    /// <summary>The one that is served now.</summary>
    public string Newest => Versions[^1];

    /// <summary>True before the first update.</summary>
    public bool IsFirst => Versions.Count == 1 && Newest == EngineView.FirstVersion;

    /// <summary>With a version that was completed just now; one that came before moves to the end.</summary>
    public VersionHistory With(string version)
    {
        var rest = Versions.Remove(version).Add(version);
        return new(rest.Count > Longest ? rest.RemoveAt(0) : rest);
    }

    /// <summary>Whether a replica with this version may answer. A version that is not in the history may not, unless all may.</summary>
    public bool MayServe(string version, MinServingVersion? least)
    {
        var policy = least?.Policy ?? MinServingPolicy.Exact;
        if (policy == MinServingPolicy.Any) return true;
        var at = Versions.LastIndexOf(version);
        return at >= 0 && Versions.Count - 1 - at <= (policy == MinServingPolicy.MaxLag ? least?.Lag ?? 0 : 0);
    }
}
