using System.IO.Hashing;
using System.Text;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Routing;

/// <summary>Which replica gets the next request.</summary>
public sealed class ReplicaPicker
{
    private uint _turn;

    /// <summary>Null when there is none.</summary>
    /// <param name="candidates">Those in rotation.</param>
    /// <param name="policy">How to choose.</param>
    /// <param name="session">Name of the session, if the request has one.</param>
    public Member? Pick(IReadOnlyList<Member> candidates, RouterPolicy policy, string? session)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        if (candidates.Count == 0) return null;
        var first = (int)(Interlocked.Increment(ref _turn) % (uint)candidates.Count);
        return policy switch
        {
            RouterPolicy.Session when !string.IsNullOrEmpty(session) => candidates.MaxBy(member => Weight(session, member.Name)),
            RouterPolicy.RoundRobin => candidates[first],
            _ => Least(candidates, first),
        };
    }

    // Begun at another one each time: with equal counts all get their share.
    private static Member Least(IReadOnlyList<Member> candidates, int first)
    {
        var best = candidates[first];
        for (var at = 1; at < candidates.Count; at++)
        {
            var other = candidates[(first + at) % candidates.Count];
            if (other.Requests < best.Requests) best = other;
        }

        return best;
    }

    // The highest of all hashes: when a replica leaves, only its own sessions move.
    private static ulong Weight(string session, string replica) => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes($"{replica}\n{session}"));
}
