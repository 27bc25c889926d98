using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Board;

/// <summary>Where the gateway writes what it does and reads it after a restart. Throws <see cref="BoardException"/> when it can't.</summary>
public interface IServiceBoard
{
    /// <summary>Makes this gateway the only one that may write. Gives what was written before, with the new term; the gateway before it finds out at its next write.</summary>
    Task<BoardState> TakeAsync(CancellationToken ct);

    /// <summary>What was written last; null when nothing was.</summary>
    Task<BoardState?> ReadAsync(CancellationToken ct);

    /// <summary>Replaces what was written.</summary>
    /// <exception cref="TakenOverException">What is written has a later term than <paramref name="state"/>.</exception>
    Task WriteAsync(BoardState state, CancellationToken ct);

    /// <summary>Opens or closes a replica's readiness gate.</summary>
    Task GateAsync(Replica replica, bool open, string why, CancellationToken ct);
}
