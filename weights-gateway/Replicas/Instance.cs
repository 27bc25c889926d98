namespace Trestle.WeightsGateway.Replicas;

/// <summary>One life of an engine: another pod or another start of its container holds other weights.</summary>
/// <param name="Uid">Uid of the pod.</param>
/// <param name="Restarts">Restarts of its engine container.</param>
public readonly record struct Instance(string Uid, int Restarts);
