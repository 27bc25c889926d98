using Microsoft.Extensions.Logging;
using Trestle.WeightsGateway.Board;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Updates;

/// <summary>Goes on where a gateway before this one stopped, from what it wrote and from what the engines say.</summary>
internal sealed class GatewayRecovery(WeightUpdates updates, IServiceBoard board, ILogger log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private BoardState? _left;

    private GatewayState State => updates.State;

    private UpdateSteps Steps => updates.Steps;

    /// <summary>Waits for the board as long as it takes, then brings the update in flight to its end.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        await TakeAsync(ct);
        if (_left is not null) State.Restore(_left.Weights);
        Steps.Fleet.FirstLook = Look;
        Steps.Fleet.Refresh();
        await Steps.Fleet.LookAsync(ct);
        if (_left is null) Adopt();
        else Regroup(_left);
        Steps.Change(() => { });
        if (_left is not null) await updates.WhenFreeAsync(() => ConcludeAsync(_left));
    }

    // A gateway before this one may still be there: from here on what it writes is refused.
    private async Task TakeAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                var left = await board.TakeAsync(ct);
                (State.Term, _left) = (left.Weights.Term ?? 0, string.IsNullOrEmpty(left.Weights.Phase) ? null : left);
                return;
            }
            catch (BoardException error)
            {
                GatewayLog.NotWritten(log, "(reading)", error.Message);
                await Task.Delay(Pause, Steps.Time, ct);
            }
        }
    }

    private void Look(Member member)
    {
        if (_left is null) return;
        var step = RecoveryPlanner.Of(_left, member.Replica, member.View!);
        if (step == RecoveryStep.None) return;
        GatewayLog.Recovering(log, _left.Weights.Phase ?? "", step.ToString(), member.Name);
        if (step == RecoveryStep.Quarantine) (member.Failure, member.IsTaking) = ("the gateway was started anew while weights were on their way", false);

        // Until its update is concluded nobody may resume it with half of it.
        if (step == RecoveryStep.Finish) member.Failure = "its update was not finished when the gateway ended";
    }

    // Without a word from before, what all engines agree on is what was served.
    private void Adopt()
    {
        var versions = Steps.Fleet.Members.Where(member => member.View is not null).Select(member => member.View!.Version).Distinct().ToList();
        if (versions.Count == 1) State.History = State.History.With(versions[0]);
    }

    private void Regroup(BoardState left)
    {
        var members = Steps.Fleet.Members.Where(member => member.View is not null && !member.Replica.IsDraining).ToList();
        var known = left.Replicas.Where(one => one.RankOffset is not null).ToList();
        var same = known.Count == members.Count && known.Count > 0 && members.TrueForAll(member =>
            known.Exists(one => one.Name == member.Name && one.Restarts == member.Replica.Instance.Restarts && (one.Version is null || one.Version == member.View!.Version)));
        if (!same) return;
        var trainer = known.Min(one => one.RankOffset!.Value);
        State.Group = TransferGroup.Plan(State.Epoch, trainer, members.Select(member => (member.Replica, member.View!.WorldSize)));
    }

    private async Task ConcludeAsync(BoardState left)
    {
        var phase = RecoveryPlanner.Phase(left.Weights);
        if (phase < UpdatePhase.Finishing || left.Weights.DesiredVersion is not { } version) return;
        var members = Steps.Fleet.Members.Where(member => member.View is { IsPaused: true } view
            && RecoveryPlanner.Of(left, member.Replica, view) is RecoveryStep.Finish or RecoveryStep.Resume).ToList();
        if (members.Count == 0) return;
        State.Session = new UpdateSession(members, isHeld: false) { IsTouched = true, HeardAt = Steps.Time.GetTimestamp() };
        Steps.Change(() =>
        {
            foreach (var member in members) (member.IsInUpdate, member.Failure) = (true, null);
        });
        try
        {
            await Steps.ConcludeAsync(version);
        }
        catch (RefusalException error)
        {
            GatewayLog.Abandoned(log, error.Message);
        }
    }
}
