using System.Text.Json;
using Microsoft.Extensions.Logging;
using Trestle.WeightsGateway.Board;
using Trestle.WeightsGateway.Engines;
using Trestle.WeightsGateway.Hosting;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Updates;

/// <summary>
/// Looks after the replicas round by round: what each holds, pauses that nobody will end, trainers that went silent, replicas that
/// make no tokens, gates, and a status that says what is so.
/// </summary>
internal sealed class Rounds(WeightUpdates updates, IServiceBoard board, ILogger log)
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LoadEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LoadWriteEvery = TimeSpan.FromSeconds(10);
    private long? _loadAt;
    private long? _lookedAt;

    private UpdateSteps Steps => updates.Steps;

    private GatewayState State => updates.State;

    private Fleet Fleet => Steps.Fleet;

    /// <summary>One round.</summary>
    public async Task OnceAsync(CancellationToken ct)
    {
        Fleet.Refresh();
        var loadIsDue = _lookedAt is not { } at || Steps.Time.GetElapsedTime(at) >= LoadEvery;
        if (loadIsDue) _lookedAt = Steps.Time.GetTimestamp();
        await Task.WhenAll(Fleet.LookAsync(ct), loadIsDue ? LoadAsync(ct) : Task.CompletedTask);
        Steps.Change(Stalls);
        GatewayMeter.Seen(State, Fleet.Members);
        try
        {
            if (State.IsTakenOver) await FollowAsync(ct);
            else await DriveAsync(ct);
        }
        catch (RefusalException) when (State.IsTakenOver)
        {
            // It was found out in this round; from the next on what the other one writes counts.
        }
    }

    private async Task DriveAsync(CancellationToken ct)
    {
        await updates.WhenFreeAsync(SilenceAsync);
        await ReclaimAsync();
        await GatesAsync(ct);
        await StatusAsync(ct);
    }

    // Clients that still come here must not get older weights than the other one allows.
    private async Task FollowAsync(CancellationToken ct)
    {
        BoardState? there;
        try
        {
            there = await board.ReadAsync(ct);
        }
        catch (BoardException error)
        {
            GatewayLog.NotWritten(log, "(reading)", error.Message);
            return;
        }

        if (there is not null) State.Restore(there.Weights);
        State.RollingFrom = null;
        Steps.End();
    }

    private Task LoadAsync(CancellationToken ct) => Task.WhenAll(Fleet.Members.Where(member => member.View is not null).Select(async member =>
    {
        using var late = new CancellationTokenSource(CallLimit, Steps.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        try
        {
            var load = await member.Engine.LoadAsync(either.Token);
            if (load.Running == 0 || member.Load is null || load.Tokens != member.Load.Tokens || member.View is { IsPaused: true }) member.MovedAt = Steps.Time.GetTimestamp();
            member.Load = load;
        }
        catch (Exception error) when (error is EngineException || (error is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // Without its numbers it counts as it did; whether it answers at all is seen elsewhere.
        }
    }));

    private void Stalls()
    {
        var limit = Steps.Rules.NoProgress;
        foreach (var member in Fleet.Members)
        {
            var silent = Steps.Time.GetElapsedTime(member.MovedAt);
            var stalls = member is { Load.Running: > 0, View.IsPaused: false } && silent >= limit;
            if (stalls && !member.IsStalled) GatewayLog.Stalled(log, member.Name, silent.TotalSeconds);
            member.IsStalled = stalls;
        }
    }

    private async Task SilenceAsync()
    {
        if (State.Session is not { } session) return;
        var limit = session.IsComplete ? Steps.Rules.ResumeLimit : Steps.Rules.TransferLimit;
        if (Steps.Time.GetElapsedTime(session.HeardAt) < limit) return;
        await Steps.AbandonAsync($"the trainer has been silent for {limit.TotalSeconds:0.#} s in the phase {session.Phase}");
    }

    private async Task ReclaimAsync()
    {
        if (!Fleet.Members.Any(member => member.MustResume)) return;
        await updates.WhenFreeAsync(async () =>
        {
            if (State.Session is not null) return;
            var left = Fleet.Members.Where(member => member.MustResume).ToList();
            foreach (var member in left) GatewayLog.Reclaimed(log, member.Name);

            // Where an update was begun too: no weights have come since, or it would be quarantined.
            await Steps.AskAsync(left, (engine, ct) => engine.FinishAsync(null, ct), CallLimit, CancellationToken.None);
            await Steps.AskAsync(left, (engine, ct) => engine.ResumeAsync(ct), CallLimit, CancellationToken.None);
            foreach (var member in left) await Fleet.LookAsync(member, CancellationToken.None);
            Steps.Change(() => { });
        });
    }

    private async Task GatesAsync(CancellationToken ct)
    {
        var wrong = Fleet.Members.Where(member => member.Gate != member.IsInRotation && !member.Replica.IsDraining).ToList();
        if (wrong.Count == 0) return;
        await Steps.HoldAsync();
        await Task.WhenAll(wrong.Select(member => GateAsync(member, ct)));
    }

    private async Task GateAsync(Member member, CancellationToken ct)
    {
        var open = member.IsInRotation;
        try
        {
            await board.GateAsync(member.Replica, open, open ? "" : member.WhyNot ?? $"{member.State}: holds {member.View?.Version ?? "nothing yet"}, wanted is {State.History.Newest}", ct);
            member.Gate = open;
        }
        catch (BoardException error)
        {
            GatewayLog.NotWritten(log, $"gate of {member.Name}", error.Message);
        }
    }

    private async Task StatusAsync(CancellationToken ct)
    {
        // An update writes its own phases.
        await updates.WhenFreeAsync(async () =>
        {
            if (State.Session is not null) return;
            var state = StatusComposer.Compose(State, Fleet.Members);
            var loadIsDue = _loadAt is not { } at || Steps.Time.GetElapsedTime(at) >= LoadWriteEvery;
            if (!loadIsDue && Steps.Written is { } last) state = state with { Waiting = last.Waiting, Running = last.Running };
            if (Steps.Written is { } written && JsonSerializer.Serialize(written) == JsonSerializer.Serialize(state)) return;
            try
            {
                await Steps.WriteAsync(state, ct);
                if (loadIsDue) _loadAt = Steps.Time.GetTimestamp();
            }
            catch (BoardException error)
            {
                GatewayLog.NotWritten(log, "Idle", error.Message);
            }
        });
    }
}
