using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Board;
using Trestle.WeightsGateway.Engines;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Updates;

/// <summary>What a replica needs after the gateway was away.</summary>
public enum RecoveryStep
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Its weights are whole: end the update and the pause.</summary>
    Resume,

    /// <summary>All weights have come: finish it with the wanted version.</summary>
    Finish,

    /// <summary>Nobody knows what it holds: it stays paused.</summary>
    Quarantine,
}

/// <summary>
/// A gateway that died left replicas as the phase says that it wrote before each step; what each engine says tells which of them the
/// step had reached. Pure.
/// </summary>
public static class RecoveryPlanner
{
    /// <param name="board">What was written last.</param>
    /// <param name="replica">The replica.</param>
    /// <param name="view">What its engine says at the first look.</param>
    public static RecoveryStep Of(BoardState board, Replica replica, EngineView view)
    {
        ArgumentNullException.ThrowIfNull(board);
        ArgumentNullException.ThrowIfNull(replica);
        ArgumentNullException.ThrowIfNull(view);

        // An engine that was started anew is never paused, whatever was known of the one before it.
        if (!view.IsPaused) return RecoveryStep.None;
        var known = board.Replicas.FirstOrDefault(one => one.Name == replica.Name && one.Restarts == replica.Instance.Restarts);
        if (known?.State == nameof(ReplicaState.Quarantined)) return RecoveryStep.Quarantine;
        return Phase(board.Weights) switch
        {
            UpdatePhase.Idle or UpdatePhase.Pausing or UpdatePhase.Starting => RecoveryStep.Resume,
            UpdatePhase.Updating => RecoveryStep.Quarantine,
            UpdatePhase.Finishing => view.Version == board.Weights.DesiredVersion ? RecoveryStep.Resume : RecoveryStep.Finish,
            _ => view.Version == board.Weights.DesiredVersion ? RecoveryStep.Resume : RecoveryStep.Quarantine,
        };
    }

    /// <summary>The phase that was written; one that is not known is taken as the one that is worst to be in.</summary>
    public static UpdatePhase Phase(WeightsStatus weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (string.IsNullOrEmpty(weights.Phase)) return UpdatePhase.Idle;
        return Enum.TryParse<UpdatePhase>(weights.Phase, out var phase) ? phase : UpdatePhase.Updating;
    }
}
