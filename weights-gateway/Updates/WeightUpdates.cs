using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Board;
using Trestle.WeightsGateway.Engines;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Updates;

/// <summary>
/// What a trainer sees as the weight routes of one vLLM server, done on all replicas. One call at a time; an init ends what an earlier
/// trainer left. Refusals are <see cref="RefusalException"/>.
/// </summary>
public sealed class WeightUpdates : IDisposable
{
    private const string Complete = "the update is complete; send resume first";
    private const int LongestVersion = 256;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly UpdateSteps _steps;
    private readonly ILogger _log;
    private CancellationTokenSource _operation = new();
    private volatile bool _isTrainersTurn;

    /// <param name="fleet">The replicas.</param>
    /// <param name="board">Where it is written.</param>
    /// <param name="rules">What the spec says now.</param>
    /// <param name="time">Clock of limits.</param>
    /// <param name="log">What happens.</param>
    public WeightUpdates(Fleet fleet, IServiceBoard board, Func<WeightsRules> rules, TimeProvider time, ILogger log)
    {
        _steps = new UpdateSteps(State, fleet, board, rules, time, log);
        _log = log;
    }

    /// <summary>What it knows.</summary>
    public GatewayState State { get; } = new();

    internal UpdateSteps Steps => _steps;

    private WeightsRules Rules => _steps.Rules;

    /// <summary>Ranks of all replicas that can take part now.</summary>
    public int WorldSize()
    {
        var eligible = Eligible();
        return eligible.Count > 0 ? eligible.Sum(member => member.View!.WorldSize) : throw new RefusalException(503, "no replica answers yet; try again later");
    }

    /// <summary>Makes a transfer group of the trainer and all replicas that answer.</summary>
    public async Task InitAsync(JsonObject info)
    {
        ArgumentNullException.ThrowIfNull(info);
        RefuseOthers();
        var (offset, world) = (Whole(info, "rank_offset"), Whole(info, "world_size"));
        await SupersedeAsync();
        try
        {
            if (State.Session is { IsStarted: true } or { IsComplete: true }) await _steps.AbandonAsync("a trainer sent init_weight_transfer_engine while an update was in flight");
            await _steps.Fleet.LookAsync(CancellationToken.None);
            _steps.Change(() => { });
            var eligible = Eligible();
            var ranks = eligible.Sum(member => member.View!.WorldSize);
            if (eligible.Count == 0) throw new RefusalException(503, "no replica answers; try again later");
            if (world != offset + ranks) throw new RefusalException(409, $"world_size is {world}, but the trainer's {offset} and the replicas' {ranks} ranks make {offset + ranks}: ask get_world_size and send init_weight_transfer_engine again");
            var group = TransferGroup.Plan(State.Epoch + 1, offset, eligible.Select(member => (member.Replica, member.View!.WorldSize)));
            (State.Group, State.Epoch) = (null, group.Epoch);
            var failed = await _steps.AskAsync(eligible, (engine, ct) => engine.InitAsync(For(info, group, eligible.First(member => member.Engine == engine)), ct), Rules.TransferLimit, _operation.Token);
            if (failed.Count > 0) throw new RefusalException(500, $"not all replicas could join the transfer group: {UpdateSteps.Names(failed)}; send init_weight_transfer_engine again");
            State.Group = group;
            GatewayLog.Joined(_log, group.Epoch, eligible.Count, group.WorldSize);
            await _steps.PhaseAsync(State.Session?.Phase ?? UpdatePhase.Idle, mustBeWritten: false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Pauses all, until resume is sent.</summary>
    public Task PauseAsync(PauseMode? mode, bool clearCache) => InTurnAsync(async ct =>
    {
        RefuseOthers();
        if (State.Session is { IsStarted: true, IsComplete: true }) throw new RefusalException(409, Complete);
        if (State.Session is { IsStarted: true }) throw new RefusalException(409, "an update is in flight; send finish_weight_update first");
        if (State.Session is { } paused)
        {
            paused.IsHeld = true;
            return;
        }

        await _steps.BeginAsync(await MembersAsync(needsGroup: false), mode ?? PauseMode.Abort, clearCache, isHeld: true, ct);
    });

    /// <summary>Begins an update; pauses as the spec says when the trainer has not.</summary>
    public Task StartAsync() => InTurnAsync(async ct =>
    {
        if (State.Session is { IsStarted: true, IsComplete: true }) throw new RefusalException(409, Complete);
        if (State.Session is { IsStarted: true }) throw new RefusalException(409, "start_weight_update was sent already and an update is in flight; send finish_weight_update first");
        var members = await MembersAsync(needsGroup: true);
        if (State.Session is { } paused && !paused.Members.ToHashSet().SetEquals(members)) await _steps.AbandonAsync("the group is another one than was paused");
        if (State.Session is null) await _steps.BeginAsync(members, Rules.PauseMode, clearCache: Rules.ResetsCache, isHeld: false, ct);
        await _steps.StartAsync(ct);
    });

    /// <summary>Takes a part of the weights. Gives the names of replicas that failed; the others have it.</summary>
    public async Task<IReadOnlyList<string>> UpdateAsync(JsonNode info)
    {
        ArgumentNullException.ThrowIfNull(info);
        IReadOnlyList<(Member Member, string Why)> failed = [];
        await InTurnAsync(async ct =>
        {
            if (State.Session is not { IsStarted: true, IsComplete: false }) throw new RefusalException(409, "no update is in flight; send start_weight_update first");
            await _steps.TransferBeginsAsync();
            failed = await _steps.OnAllAsync((engine, limit) => engine.UpdateAsync(info, limit), Rules.TransferLimit, ct);
            await _steps.QuarantineAsync(failed, "update_weights");
        });
        return [.. failed.Select(one => one.Member.Name)];
    }

    /// <summary>Ends the update: the weights are this version.</summary>
    /// <param name="version">Null: the gateway names it.</param>
    public Task FinishAsync(string? version) => InTurnAsync(async _ =>
    {
        if (State.Session is { IsComplete: true }) throw new RefusalException(409, Complete);
        if (State.Session is not { IsStarted: true }) throw new RefusalException(409, "no update is in flight; send start_weight_update first");
        if (!State.Session.IsTouched) throw new RefusalException(409, "no weights have come in this update; send update_weights first, or resume to give it up");
        if (version is EngineView.FirstVersion or { Length: 0 or > LongestVersion })
            throw new RefusalException(409, $"weight_version must have 1 to {LongestVersion} characters and not be {EngineView.FirstVersion}, which names the weights that an engine is started with");
        await _steps.ConcludeAsync(version ?? NextVersion());
    });

    /// <summary>Ends the trainer's pause.</summary>
    public Task ResumeAsync() => InTurnAsync(async _ =>
    {
        if (State.Session is { IsTouched: true, IsComplete: false }) throw new RefusalException(409, "weights are on their way; send finish_weight_update first");
        if (State.Session is { IsStarted: true, IsComplete: false }) await _steps.AbandonAsync("the trainer resumed before it sent weights");
        else if (State.Session is not null) await _steps.ResumeAsync();
    });

    /// <summary>Runs in turn, when nothing else does; false when something else does.</summary>
    internal async Task<bool> WhenFreeAsync(Func<Task> work)
    {
        if (!await _turn.WaitAsync(0)) return false;
        try
        {
            await work();
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _turn.Dispose();
        _operation.Dispose();
    }

    private async Task InTurnAsync(Func<CancellationToken, Task> work)
    {
        // Behind another request it would wait for minutes, behind a round for a moment.
        if (!await _turn.WaitAsync(0))
        {
            if (_isTrainersTurn) throw new RefusalException(409, "an update is in flight; wait until the request before this one is answered");
            await _turn.WaitAsync();
        }

        try
        {
            _isTrainersTurn = true;
            await work(_operation.Token);
            if (State.Session is { } session) session.HeardAt = _steps.Time.GetTimestamp();
        }
        finally
        {
            _isTrainersTurn = false;
            _turn.Release();
        }
    }

    /// <summary>Only a service whose weights a trainer sends is told what to do from outside.</summary>
    /// <exception cref="RefusalException">It is another one.</exception>
    public void RefuseOthers()
    {
        if (Rules.Source != WeightsSourceType.Trainer) throw new RefusalException(409, "this service takes no weights from a trainer; set spec.weights.source.type to Trainer");
    }

    // A trainer that was started anew need not wait for what the old one left behind.
    private async Task SupersedeAsync()
    {
        GiveUpCalls();
        await _turn.WaitAsync();
    }

    private void GiveUpCalls()
    {
        var old = _operation;
        _operation = new CancellationTokenSource();
        old.Cancel();
        old.Dispose();
    }

    // Where all have failed again and again it is not the replicas that are at fault: they are asked once more.
    private List<Member> Eligible()
    {
        var answering = _steps.Fleet.Members.Where(member => member.View is not null && !member.Replica.IsDraining).ToList();
        var trusted = answering.Where(member => !(member.Failure is not null && member.HasHadItsChance)).ToList();
        return trusted.Count > 0 ? trusted : answering;
    }

    private async Task<IReadOnlyList<Member>> MembersAsync(bool needsGroup)
    {
        // What was restarted a moment ago has another version than it had.
        var before = Eligible().ToDictionary(member => member, member => member.View!.Version);
        await _steps.Fleet.LookAsync(CancellationToken.None);
        _steps.Change(() => { });
        var now = Eligible();
        if (State.Group is not { } group)
        {
            if (needsGroup) throw new RefusalException(409, $"there is no transfer group (epoch {State.Epoch}): ask get_world_size and send init_weight_transfer_engine");
            return now.Count > 0 ? now : throw new RefusalException(503, "no replica answers; try again later");
        }

        if (group.Holds(now.Select(member => (member.Replica, member.View!.WorldSize))) && now.TrueForAll(member => before.TryGetValue(member, out var version) && version == member.View!.Version)) return now;
        State.Group = null;
        throw new RefusalException(409, $"the replicas have changed since epoch {group.Epoch}: ask get_world_size and send init_weight_transfer_engine again");
    }

    private string NextVersion() =>
        int.TryParse(State.History.Newest, out var number) ? $"{number + 1}" : State.History.IsFirst ? "1" : $"{State.History.Versions.Count}";

    private static JsonObject For(JsonObject info, TransferGroup group, Member member)
    {
        var own = info.DeepClone().AsObject();
        own["rank_offset"] = group.Members.First(one => one.Name == member.Name).RankOffset;
        own["world_size"] = group.WorldSize;
        return own;
    }

    private static int Whole(JsonObject info, string name) =>
        info[name] is JsonValue value && value.TryGetValue(out int number) && number is > 0 and <= 1_000_000 ? number : throw new RefusalException(400, $"init_info.{name} must be a whole number above 0");
}
