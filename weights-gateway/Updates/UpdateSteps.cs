using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Board;
using Trestle.WeightsGateway.Engines;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Updates;

/// <summary>
/// The steps of an update, each written to the board before its first side effect. Up to the transfer nothing is lost: on a failure
/// all go on with the old version. From then on a replica that fails stays paused, and the others go on to the new version.
/// </summary>
internal sealed class UpdateSteps(GatewayState state, Fleet fleet, IServiceBoard board, Func<WeightsRules> rules, TimeProvider time, ILogger log)
{
    /// <summary>Limit of a write that an update waits for.</summary>
    private static readonly TimeSpan BoardLimit = TimeSpan.FromSeconds(10);

    // A write that was taken says that nobody else drives the replicas; one question of them may rely on it.
    private bool _isFresh;

    public GatewayState State => state;

    public Fleet Fleet => fleet;

    public WeightsRules Rules => rules();

    public TimeProvider Time => time;

    /// <summary>What is written; null when that is not known.</summary>
    public BoardState? Written { get; private set; }

    /// <summary>Pauses <paramref name="members"/> as an update of them.</summary>
    /// <exception cref="RefusalException">One could not be paused: all go on as before.</exception>
    public async Task BeginAsync(IReadOnlyList<Member> members, PauseMode mode, bool clearCache, bool isHeld, CancellationToken ct)
    {
        var session = new UpdateSession(members, isHeld) { HeardAt = time.GetTimestamp() };
        state.Session = session;
        Change(() =>
        {
            foreach (var member in members) member.IsInUpdate = true;
        });
        try
        {
            await PhaseAsync(UpdatePhase.Pausing, mustBeWritten: true);
        }
        catch (RefusalException)
        {
            // Nothing was asked of any engine yet.
            End();
            throw;
        }

        var failed = await OnAllAsync((engine, limit) => engine.PauseAsync(mode, clearCache, limit), Rules.PauseLimit, ct);
        Change(() =>
        {
            foreach (var member in members) member.View = member.View is { } view ? view with { IsPaused = true } : null;
        });
        if (failed.Count > 0) throw await GiveUpAsync(failed, "be paused", quarantine: false);
    }

    /// <summary>Makes all ready to take weights.</summary>
    /// <exception cref="RefusalException">One refused: all others go on as before.</exception>
    public async Task StartAsync(CancellationToken ct)
    {
        var session = state.Session!;
        await UntouchedAsync(() => PhaseAsync(UpdatePhase.Starting, mustBeWritten: true));

        var failed = await OnAllAsync((engine, limit) => engine.StartAsync(limit), Rules.PauseLimit, ct);
        if (failed.Count > 0) failed = await StartAnewAsync([.. failed.Select(one => one.Member)], ct);
        session.IsStarted = true;
        if (failed.Count > 0) throw await GiveUpAsync(failed, "start an update", quarantine: true);
    }

    /// <summary>Writes that weights will travel.</summary>
    /// <exception cref="RefusalException">That can't be written: all go on as before.</exception>
    public async Task TransferBeginsAsync()
    {
        var session = state.Session!;
        if (session.IsTouched) return;
        await UntouchedAsync(() => PhaseAsync(UpdatePhase.Updating, mustBeWritten: true));
        session.IsTouched = true;
        Change(() =>
        {
            foreach (var member in session.Members) member.IsTaking = true;
        });
    }

    /// <summary>Takes those that failed out for good, until they take a whole update or are restarted.</summary>
    /// <exception cref="RefusalException">None is left.</exception>
    public async Task QuarantineAsync(IReadOnlyList<(Member Member, string Why)> failed, string step)
    {
        if (failed.Count == 0) return;
        var session = state.Session!;
        Change(() =>
        {
            foreach (var (member, why) in failed) Quarantine(member, $"{step}: {why}");
        });
        session.Members.RemoveAll(member => failed.Any(one => one.Member == member));
        session.Failed.AddRange(failed.Select(one => one.Member.Name));
        if (session.Members.Count > 0) return;
        End();
        state.Group = null;
        await PhaseAsync(UpdatePhase.Idle, mustBeWritten: false);
        throw new RefusalException(500, $"the update failed on every replica, which stay paused, as their weights are neither old nor new: {Names(failed)}; send init_weight_transfer_engine and the whole update again");
    }

    /// <summary>From the last part of the weights to answers with them: finish, cache, verify, resume.</summary>
    /// <exception cref="RefusalException">No replica got there.</exception>
    public async Task ConcludeAsync(string version)
    {
        var session = state.Session!;
        (session.Version, state.Desired) = (version, version);
        await PhaseAsync(UpdatePhase.Finishing, mustBeWritten: false);
        var toFinish = session.Members.Where(member => member.View?.Version != version || session.IsStarted).ToList();
        await QuarantineAsync(await AskAsync(toFinish, (engine, limit) => engine.FinishAsync(version, limit), Rules.TransferLimit, CancellationToken.None), "finish_weight_update");
        await VerifyAsync(version);
        if (session.IsHeld)
        {
            session.HeardAt = time.GetTimestamp();
            return;
        }

        await ResumeAsync();
    }

    /// <summary>Empties caches, and asks all what they hold.</summary>
    /// <exception cref="RefusalException">No replica holds the version.</exception>
    public async Task VerifyAsync(string version)
    {
        var session = state.Session!;
        if (Rules.ResetsCache)
        {
            await PhaseAsync(UpdatePhase.Caching, mustBeWritten: false);
            await QuarantineAsync(await OnAllAsync((engine, limit) => engine.ResetCacheAsync(limit), Rules.ResumeLimit, CancellationToken.None), "reset_prefix_cache");
        }

        await PhaseAsync(UpdatePhase.Verifying, mustBeWritten: false);
        var wrong = await OnAllAsync(
            async (engine, limit) =>
            {
                var view = await engine.LookAsync(limit);
                if (view.Version != version) throw new EngineException($"it holds {view.Version} instead of {version}");
                if (!view.IsPaused) throw new EngineException("it is no longer paused: it was started anew");
            },
            Rules.ResumeLimit, CancellationToken.None);
        await QuarantineAsync(wrong, "verify");
        state.History = state.History.With(version);
        session.IsComplete = true;
        Change(() =>
        {
            foreach (var member in session.Members)
            {
                (member.View, member.Failure, member.HasHadItsChance, member.IsTaking) = (new EngineView(true, version, member.View?.WorldSize ?? 0), null, false, false);
            }
        });
    }

    /// <summary>Ends the pause and the update.</summary>
    public async Task ResumeAsync()
    {
        var session = state.Session!;
        await PhaseAsync(UpdatePhase.Resuming, mustBeWritten: false);

        // One that failed an update before and has not taken a whole one in this stays paused.
        session.Members.RemoveAll(member => member.Failure is not null);
        await ResumeAllAsync(session.Members);
        if (session.IsComplete) state.Last = Times(session);

        // A replica that failed is no longer in the group: the trainer has to make a new one.
        if (session.Failed.Count > 0) state.Group = null;
        End();
        await PhaseAsync(UpdatePhase.Idle, mustBeWritten: false);
        if (session.Version is { } version) GatewayLog.Updated(log, version, session.Members.Count, session.Failed.Count);
    }

    /// <summary>Gives the update up. Where weights have not been on their way all go on with the old ones; else all stay paused.</summary>
    /// <param name="why">For the log and the quarantine.</param>
    public async Task AbandonAsync(string why)
    {
        var session = state.Session!;
        GatewayLog.Abandoned(log, why);
        if (session.IsComplete || !session.IsTouched)
        {
            session.Members.RemoveAll(member => member.Failure is not null);
            if (session.IsStarted && !session.IsComplete) await AskAsync(session.Members, (engine, limit) => engine.FinishAsync(null, limit), Rules.ResumeLimit, CancellationToken.None);
            await ResumeAsync();
            return;
        }

        Change(() =>
        {
            foreach (var member in session.Members) Quarantine(member, why, counts: false); // the trainer's doing, or everybody's
        });
        End();
        state.Group = null;
        await PhaseAsync(UpdatePhase.Idle, mustBeWritten: false);
    }

    /// <summary>Resumes; one that does not is quarantined.</summary>
    public async Task ResumeAllAsync(IReadOnlyCollection<Member> members)
    {
        var failed = await AskAsync(members, (engine, limit) => engine.ResumeAsync(limit), Rules.ResumeLimit, CancellationToken.None);
        Change(() =>
        {
            foreach (var member in members) member.View = member.View is { } view ? view with { IsPaused = failed.Any(one => one.Member == member) } : null;
            foreach (var (member, why) in failed) Quarantine(member, $"resume: {why}");
        });
        state.Session?.Failed.AddRange(failed.Select(one => one.Member.Name));
    }

    /// <summary>Asks all members of the update in flight.</summary>
    public Task<IReadOnlyList<(Member Member, string Why)>> OnAllAsync(Func<IEngine, CancellationToken, Task> call, TimeSpan limit, CancellationToken ct) =>
        AskAsync(state.Session!.Members, call, limit, ct);

    /// <summary>Asks some replicas, unless another gateway drives them by now. All that changes a replica goes this way.</summary>
    /// <exception cref="RefusalException">One does.</exception>
    public async Task<IReadOnlyList<(Member Member, string Why)>> AskAsync(IReadOnlyCollection<Member> members, Func<IEngine, CancellationToken, Task> call, TimeSpan limit, CancellationToken ct)
    {
        if (!_isFresh) await HoldAsync();
        _isFresh = false;
        return await EngineCalls.OnAllAsync(members, call, limit, time, ct);
    }

    /// <summary>Makes sure that this gateway is still the one that drives the replicas.</summary>
    /// <exception cref="RefusalException">Another one does.</exception>
    public async Task HoldAsync()
    {
        if (state.IsTakenOver) throw TakenOver();
        using var limit = new CancellationTokenSource(BoardLimit, time);
        try
        {
            if ((await board.ReadAsync(limit.Token))?.Weights.Term is not { } term || term <= state.Term) return;
        }
        catch (Exception error) when (error is BoardException or OperationCanceledException)
        {
            // What was begun is brought to its end without an API server too; filters refuse a gateway that was taken over.
            return;
        }

        throw TakenOver();
    }

    /// <summary>Writes it.</summary>
    /// <exception cref="BoardException">It can't be written now.</exception>
    /// <exception cref="RefusalException">Another gateway drives the replicas.</exception>
    public async Task WriteAsync(BoardState what, CancellationToken ct)
    {
        if (state.IsTakenOver) throw TakenOver();
        Written = null;
        try
        {
            await board.WriteAsync(what, ct);
        }
        catch (TakenOverException)
        {
            throw TakenOver();
        }

        (Written, _isFresh) = (what, true);
    }

    /// <summary>Writes what is so now.</summary>
    /// <exception cref="RefusalException">It can't be written and must be, or another gateway drives the replicas.</exception>
    public async Task PhaseAsync(UpdatePhase phase, bool mustBeWritten)
    {
        if (state.Session is { } session)
        {
            (session.Phase, session.Began[phase]) = (phase, time.GetTimestamp());
        }

        Change(() => { });
        using var limit = new CancellationTokenSource(BoardLimit, time);
        try
        {
            await WriteAsync(StatusComposer.Compose(state, fleet.Members), limit.Token);
        }
        catch (Exception error) when (error is BoardException or OperationCanceledException)
        {
            GatewayLog.NotWritten(log, phase.ToString(), error.Message);
            if (mustBeWritten) throw new RefusalException(503, $"the step {phase} can't be written to the API server, so it is not taken; try again later");
        }
    }

    /// <summary>Changes members and decides anew who gets requests.</summary>
    public void Change(Action change)
    {
        var allowed = rules();
        fleet.Change(change);
        fleet.Judge(version => state.MayServe(version, allowed));
    }

    /// <summary>Takes a replica out until it has whole weights.</summary>
    /// <param name="member">The replica.</param>
    /// <param name="why">For people.</param>
    /// <param name="counts">Whether it is its own failure: after a second one others go on without it.</param>
    public void Quarantine(Member member, string why, bool counts = true)
    {
        GatewayLog.Quarantined(log, member.Name, why);
        (member.HasHadItsChance, member.Failure, member.IsTaking, member.IsInUpdate) = (member.HasHadItsChance || (counts && member.Failure is not null), why, false, false);
    }

    public static string Names(IEnumerable<(Member Member, string Why)> failed) => string.Join("; ", failed.Select(one => $"{one.Member.Name} ({one.Why})"));

    // One that failed an update, or was left behind in one, is still in the middle of it. All that follows is whole.
    private async Task<IReadOnlyList<(Member Member, string Why)>> StartAnewAsync(IReadOnlyCollection<Member> members, CancellationToken ct)
    {
        await AskAsync(members, (engine, limit) => engine.FinishAsync(null, limit), Rules.ResumeLimit, ct);
        return await AskAsync(members, (engine, limit) => engine.StartAsync(limit), Rules.PauseLimit, ct);
    }

    private async Task UntouchedAsync(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (RefusalException)
        {
            await AbandonAsync("the step could not be written");
            throw;
        }
    }

    private async Task<RefusalException> GiveUpAsync(IReadOnlyList<(Member Member, string Why)> failed, string what, bool quarantine)
    {
        var session = state.Session!;
        if (quarantine)
        {
            Change(() =>
            {
                foreach (var (member, why) in failed) Quarantine(member, why);
            });
            session.Members.RemoveAll(member => failed.Any(one => one.Member == member));
        }

        await AbandonAsync($"not all replicas could {what}: {Names(failed)}");
        state.Group = null;
        return new RefusalException(503, $"not all replicas could {what}: {Names(failed)}; the others go on with {state.History.Newest}; send init_weight_transfer_engine again");
    }

    private RefusalException TakenOver()
    {
        if (!state.IsTakenOver) GatewayLog.TakenOver(log, state.Term);
        state.IsTakenOver = true;
        return new RefusalException(503, "another gateway has taken over this service; try again later");
    }

    /// <summary>There is no update any more.</summary>
    public void End()
    {
        var session = state.Session;
        state.Session = null;
        Change(() =>
        {
            foreach (var member in session?.Members ?? []) (member.IsInUpdate, member.IsTaking) = (false, false);
            foreach (var member in fleet.Members.Where(member => member.IsInUpdate)) (member.IsInUpdate, member.IsTaking) = (false, false);
        });
    }

    private WeightsUpdate Times(UpdateSession session)
    {
        long Between(UpdatePhase from, long to) => session.Began.TryGetValue(from, out var began) ? (long)time.GetElapsedTime(began, to).TotalMilliseconds : 0;
        long At(UpdatePhase phase) => session.Began.TryGetValue(phase, out var began) ? began : time.GetTimestamp();
        return new WeightsUpdate
        {
            Version = session.Version,
            PauseMs = Between(UpdatePhase.Pausing, At(UpdatePhase.Starting)),
            TransferMs = Between(UpdatePhase.Starting, At(UpdatePhase.Finishing)),
            ResumeMs = Between(UpdatePhase.Finishing, time.GetTimestamp()),
        };
    }
}
