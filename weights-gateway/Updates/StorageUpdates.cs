using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Engines;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Updates;

/// <summary>
/// Weights that engines read themselves from where spec.weights.source.uriTemplate says, when people declare a version. Barrier: all at
/// once, paused. Rolling: some at a time, out of rotation. A replica that came late reads on its own what the others serve. What is
/// declared while one version is on its way waits, and of several only the newest is taken.
/// </summary>
internal sealed class StorageUpdates(WeightUpdates updates, IReadyMarkers markers, ILogger log)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(30);
    private (string Version, long At)? _failed;
    private string? _unseen;

    private UpdateSteps Steps => updates.Steps;

    private GatewayState State => updates.State;

    /// <summary>Brings replicas to the declared version, when there is one that they do not hold.</summary>
    public async Task OnceAsync(CancellationToken ct)
    {
        if (State.IsTakenOver || Steps.Rules is not { Source: WeightsSourceType.Storage, Declared: { } version, UriTemplate: { } template } rules) return;
        var behind = Behind(version);
        if (behind.Count == 0 && State.History.Newest == version) return;
        if (_failed is { } failed && failed.Version == version && Steps.Time.GetElapsedTime(failed.At) < Retry) return;
        var uri = template.Replace("{version}", version, StringComparison.Ordinal);
        if (rules.ReadyMarker is { Length: > 0 } marker && State.History.Newest != version && await WhyNotAsync(uri, marker, ct) is { } why)
        {
            Failed(version, why);
            return;
        }

        await updates.WhenFreeAsync(async () =>
        {
            if (State.Session is not null) return;
            try
            {
                State.Desired = version;

                // Late ones join alone; the others go on.
                if (State.History.Newest == version || rules.Strategy == WeightsStrategy.Rolling) await RollAsync(version, uri, rules, ct);
                else await BarrierAsync(version, uri, rules);
            }
            catch (RefusalException error)
            {
                Failed(version, error.Message);
            }
        });
    }

    // While nobody has read the version it may be the version that is wrong: those that failed try it first, and the others serve on.
    private List<Member> Behind(string version)
    {
        var answering = Steps.Fleet.Members.Where(member => member.View is not null && !member.Replica.IsDraining).ToList();
        var isRead = answering.Exists(member => member.View!.Version == version && member.Failure is null);
        return [.. answering.Where(member => member.View!.Version != version || member.Failure is not null)
            .Where(member => !(isRead && member.Failure is not null && member.HasHadItsChance))
            .OrderByDescending(member => !isRead && member.Failure is not null)];
    }

    private async Task<string?> WhyNotAsync(string uri, string marker, CancellationToken ct)
    {
        if (markers.CanSee(uri)) return await markers.WhyNotAsync(uri, marker, ct);
        if (_unseen != uri) GatewayLog.MarkerUnseen(log, uri);
        _unseen = uri;
        return null;
    }

    private void Failed(string version, string why)
    {
        GatewayLog.NotLoaded(log, version, why);
        _failed = (version, Steps.Time.GetTimestamp());
    }

    private async Task BarrierAsync(string version, string uri, WeightsRules rules)
    {
        var members = Behind(version);
        if (members.Count == 0) return;
        await Steps.BeginAsync(members, rules.PauseMode, rules.ResetsCache, isHeld: false, CancellationToken.None);
        await Steps.TransferBeginsAsync();
        await Steps.QuarantineAsync(await Steps.OnAllAsync((engine, limit) => ReadAsync(engine, uri, version, limit), rules.TransferLimit, CancellationToken.None), "reload_weights");
        State.Session!.Version = version;
        await Steps.PhaseAsync(UpdatePhase.Finishing, mustBeWritten: false);
        await Steps.VerifyAsync(version);
        await Steps.ResumeAsync();
    }

    private async Task RollAsync(string version, string uri, WeightsRules rules, CancellationToken ct)
    {
        // Written as Updating: after a restart what is paused may hold anything.
        State.RollingFrom = State.History.Newest;
        try
        {
            var size = RollingPlanner.BatchOf(rules.MaxUnavailable, Steps.Fleet.Members.Count(member => member.View is not null));
            var failures = 0;
            foreach (var batch in Behind(version).Chunk(size))
            {
                failures += await BatchAsync(batch, version, uri, rules);

                // What can't be read by one batch is not tried on the next: they still serve the old version.
                if (failures > 0) throw new RefusalException(500, $"{failures} replicas could not read {uri}; the others go on with {State.RollingFrom}");
                ct.ThrowIfCancellationRequested();
            }

            State.History = State.History.With(version);
        }
        catch (RefusalException)
        {
            await EndAsync();
            throw;
        }

        await EndAsync();
    }

    // Not in a finally: after anything else nobody knows what is paused, and that must stay written.
    private Task EndAsync()
    {
        State.RollingFrom = null;
        return Steps.PhaseAsync(UpdatePhase.Idle, mustBeWritten: false);
    }

    /// <summary>Out of rotation, drained, read, verified, back.</summary>
    private async Task<int> BatchAsync(IReadOnlyList<Member> batch, string version, string uri, WeightsRules rules)
    {
        Set(batch, isOut: true, isTaking: false);
        try
        {
            await Steps.PhaseAsync(UpdatePhase.Updating, mustBeWritten: true);
        }
        catch (RefusalException)
        {
            Set(batch, isOut: false, isTaking: false);
            throw;
        }

        Set(batch, isOut: true, isTaking: true);
        var failed = new List<(Member Member, string Why)>();
        foreach (var (call, limit) in Calls(version, uri, rules))
        {
            failed.AddRange(await Steps.AskAsync([.. batch.Where(member => failed.TrueForAll(one => one.Member != member))], call, limit, CancellationToken.None));
        }

        Steps.Change(() =>
        {
            foreach (var member in batch) (member.IsOut, member.IsTaking) = (false, false);
            foreach (var (member, why) in failed) Steps.Quarantine(member, why);
            foreach (var member in batch.Where(member => failed.TrueForAll(one => one.Member != member)))
            {
                (member.View, member.Failure, member.HasHadItsChance) = (new EngineView(false, version, member.View?.WorldSize ?? 0), null, false);
            }
        });
        return failed.Count;
    }

    private static IEnumerable<(Func<IEngine, CancellationToken, Task> Call, TimeSpan Limit)> Calls(string version, string uri, WeightsRules rules)
    {
        yield return ((engine, end) => engine.PauseAsync(PauseMode.Wait, rules.ResetsCache, end), rules.PauseLimit);
        yield return ((engine, end) => ReadAsync(engine, uri, version, end), rules.TransferLimit);
        if (rules.ResetsCache) yield return ((engine, end) => engine.ResetCacheAsync(end), rules.ResumeLimit);
        yield return ((engine, end) => engine.ResumeAsync(end), rules.ResumeLimit);
    }

    private void Set(IEnumerable<Member> batch, bool isOut, bool isTaking) => Steps.Change(() =>
    {
        foreach (var member in batch) (member.IsOut, member.IsTaking) = (isOut, isTaking);
    });

    private static async Task ReadAsync(IEngine engine, string uri, string version, CancellationToken ct)
    {
        await engine.ReloadAsync(uri, ct);
        await engine.NameVersionAsync(version, ct);
        if ((await engine.LookAsync(ct)).Version is var held && held != version) throw new EngineException($"it holds {held} instead of {version}");
    }
}
