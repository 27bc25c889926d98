using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Board;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Updates;

/// <summary>What the gateway tells of itself: state in, status out. Pure.</summary>
public static class StatusComposer
{
    private const int LongestHistory = 32;

    /// <summary>The whole of the gateway's status.</summary>
    public static BoardState Compose(GatewayState state, IReadOnlyList<Member> members)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(members);
        var weights = new WeightsStatus
        {
            DesiredVersion = state.Desired,
            ServingVersion = Serving(state, members),
            Phase = (state.Session?.Phase ?? (state.RollingFrom is null ? UpdatePhase.Idle : UpdatePhase.Updating)).ToString(),
            Epoch = state.Epoch,
            Term = state.Term,
            WorldSize = state.Group?.WorldSize,
            UpdatedReplicas = state.Desired is { } desired ? members.Count(member => member.Failure is null && member.View?.Version == desired) : null,
            Histogram = Histogram(state, members),
            LastUpdate = state.Last,
        };
        return new BoardState(weights, [.. members.Select(member => Of(member, state.Group))],
            (int)members.Sum(member => member.Load?.Waiting ?? 0), (int)members.Sum(member => member.Load?.Running ?? 0));
    }

    /// <summary>The newest version, when all that take requests serve it; else what all served before.</summary>
    private static string? Serving(GatewayState state, IReadOnlyList<Member> members)
    {
        var versions = members.Where(member => member.IsInRotation).Select(member => member.View!.Version).Distinct().ToList();
        if (versions.Count == 1 && state.Session is null && state.History.Versions.Contains(versions[0])) state.Serving = versions[0];
        return state.Serving;
    }

    // In the order in which versions came, and with those that nobody holds any more: the order says how far behind a replica is.
    private static List<VersionCount> Histogram(GatewayState state, IReadOnlyList<Member> members)
    {
        var counts = members.Where(member => member.View is not null && member.Failure is null).CountBy(member => member.View!.Version).ToDictionary();
        var history = state.History.Versions.TakeLast(LongestHistory).ToList();
        return [.. counts.Keys.Except(history).Order(StringComparer.Ordinal).Concat(history).Select(version => new VersionCount { Version = version, Replicas = counts.GetValueOrDefault(version) })];
    }

    private static ReplicaStatus Of(Member member, TransferGroup? group)
    {
        var ranks = group?.Members.FirstOrDefault(one => one.Name == member.Name && one.Instance == member.Replica.Instance);
        return new ReplicaStatus
        {
            Name = member.Name,
            Uid = member.Replica.Instance.Uid,
            Endpoint = member.Replica.Public.Authority,
            Version = member.View?.Version,
            RankOffset = ranks?.RankOffset,
            WorldSize = ranks?.WorldSize,
            State = member.State.ToString(),
            Message = member.WhyNot,
            Restarts = member.Replica.Instance.Restarts,
        };
    }
}
