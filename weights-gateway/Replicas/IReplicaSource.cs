namespace Trestle.WeightsGateway.Replicas;

/// <summary>Which replicas there are.</summary>
public interface IReplicaSource
{
    /// <summary>All that have an address, by ordinal.</summary>
    IReadOnlyList<Replica> Replicas { get; }
}
