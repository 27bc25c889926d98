using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Manifests;

/// <summary>A place as SkyPilot writes it in `infra`: k8s, slurm/CLUSTER, slurm/CLUSTER/PARTITION, or * for any.</summary>
public static class PlacementText
{
    /// <summary>The forms, for messages.</summary>
    public const string Forms = "k8s, slurm/CLUSTER or slurm/CLUSTER/PARTITION";

    /// <summary>False when it is none of these.</summary>
    /// <param name="text">The text.</param>
    /// <param name="place">The place; null for any.</param>
    public static bool TryRead(string text, out Placement? place)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('/');
        place = parts[0].ToLowerInvariant() switch
        {
            // What follows is a context, and the file goes to the one that it is launched to.
            "k8s" or "kubernetes" => new Placement { Kubernetes = new KubernetesPlacement() },
            "slurm" when parts.Length is 2 or 3 && parts.All(part => part.Length > 0) => new Placement { Slurm = new SlurmPlacement { Cluster = parts[1], Partition = parts.ElementAtOrDefault(2) } },
            _ => null,
        };
        return place is not null || parts[0] == "*";
    }
}
