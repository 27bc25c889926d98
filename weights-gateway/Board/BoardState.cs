using Trestle.Api.V1Alpha1;

namespace Trestle.WeightsGateway.Board;

/// <summary>The part of the service's status that the gateway owns.</summary>
/// <param name="Weights">status.weights.</param>
/// <param name="Replicas">status.replicaStatuses.</param>
/// <param name="Waiting">Requests in the queues of all engines.</param>
/// <param name="Running">Requests that make tokens.</param>
public sealed record BoardState(WeightsStatus Weights, IReadOnlyList<ReplicaStatus> Replicas, int Waiting = 0, int Running = 0);
