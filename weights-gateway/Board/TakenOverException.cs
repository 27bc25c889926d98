namespace Trestle.WeightsGateway.Board;

/// <summary>Another gateway has taken the board: this one must do nothing more to the replicas.</summary>
/// <param name="term">Number of the other one.</param>
public sealed class TakenOverException(long term) : Exception($"the gateway of term {term} has taken over")
{
    /// <summary>Number of the other one.</summary>
    public long Term { get; } = term;
}
