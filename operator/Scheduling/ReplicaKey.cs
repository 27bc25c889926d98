namespace Trestle.Operator.Scheduling;

/// <summary>A replica of a service.</summary>
/// <param name="ServiceUid">Uid of the InferenceService.</param>
/// <param name="Ordinal">Its number.</param>
internal readonly record struct ReplicaKey(string ServiceUid, int Ordinal);
