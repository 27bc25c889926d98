namespace Trestle.WeightsGateway.Replicas;

/// <summary>A replica as its leader pod shows it.</summary>
/// <param name="Name">Name of the pod.</param>
/// <param name="Ordinal">Stable number; ranks are given in this order.</param>
/// <param name="Instance">Which life of it.</param>
/// <param name="Public">Address for clients.</param>
/// <param name="Control">Address of the control routes.</param>
public sealed record Replica(string Name, int Ordinal, Instance Instance, Uri Public, Uri Control)
{
    /// <summary>It is being ended: no new requests.</summary>
    public bool IsDraining { get; init; }

    /// <summary>How its engine ended before, as its pod tells; null when it never did.</summary>
    public string? Trouble { get; init; }

    /// <summary>What the pod's condition says now; null when it has none.</summary>
    public bool? Gate { get; init; }
}
