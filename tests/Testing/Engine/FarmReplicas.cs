using System.Collections.Concurrent;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.Testing.Engine;

/// <summary>The engines of a farm as replicas of a service, without pods.</summary>
public sealed class FarmReplicas : IReplicaSource
{
    private readonly ConcurrentDictionary<int, Replica> _replicas = [];
    private readonly EngineFarm _farm;

    public FarmReplicas(EngineFarm farm, int count)
    {
        _farm = farm;
        for (var ordinal = 0; ordinal < count; ordinal++) Add(ordinal);
    }

    public IReadOnlyList<Replica> Replicas => [.. _replicas.Values.OrderBy(replica => replica.Ordinal)];

    public static string Name(int ordinal) => $"policy-{ordinal}-0";

    public void Add(int ordinal) => _replicas[ordinal] = new Replica(Name(ordinal), ordinal, new Instance($"uid-{ordinal}-{Guid.NewGuid():N}", 0), _farm.Addresses[ordinal], _farm.Addresses[ordinal]);

    public void Remove(int ordinal) => _replicas.TryRemove(ordinal, out _);

    public void Drain(int ordinal) => _replicas[ordinal] = _replicas[ordinal] with { IsDraining = true };

    /// <summary>The engine's container was started anew in its pod.</summary>
    public void Restarted(int ordinal) => _replicas[ordinal] = _replicas[ordinal] with { Instance = _replicas[ordinal].Instance with { Restarts = _replicas[ordinal].Instance.Restarts + 1 } };
}
