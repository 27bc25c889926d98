using System.Collections.Immutable;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Updates;

/// <summary>A replica in a transfer group.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Instance">The life of it that joined.</param>
/// <param name="RankOffset">Its first rank.</param>
/// <param name="WorldSize">Its ranks.</param>
public sealed record GroupMember(string Name, Instance Instance, int RankOffset, int WorldSize);

/// <summary>The trainer and the replicas that share ranks until the membership changes.</summary>
/// <param name="Epoch">Grows with every group.</param>
/// <param name="TrainerRanks">Ranks of the trainer, which are the first.</param>
/// <param name="Members">Replicas by ordinal; their ranks follow one another.</param>
public sealed record TransferGroup(long Epoch, int TrainerRanks, ImmutableArray<GroupMember> Members)
{
    /// <summary>All ranks.</summary>
    public int WorldSize => TrainerRanks + Members.Sum(member => member.WorldSize);

    /// <summary>Gives ranks: disjoint, without a hole, in the order of the replicas.</summary>
    /// <param name="epoch">Number of the group.</param>
    /// <param name="trainerRanks">The trainer's rank_offset: how many ranks are its own.</param>
    /// <param name="replicas">Replicas with their ranks, by ordinal.</param>
    public static TransferGroup Plan(long epoch, int trainerRanks, IEnumerable<(Replica Replica, int WorldSize)> replicas)
    {
        ArgumentNullException.ThrowIfNull(replicas);
        var (offset, members) = (trainerRanks, ImmutableArray.CreateBuilder<GroupMember>());
        foreach (var (replica, size) in replicas)
        {
            members.Add(new GroupMember(replica.Name, replica.Instance, offset, size));
            offset += size;
        }

        return new TransferGroup(epoch, trainerRanks, members.ToImmutable());
    }

    /// <summary>Whether these are the same lives of the same replicas.</summary>
    public bool Holds(IEnumerable<(Replica Replica, int WorldSize)> replicas) =>
        Members.Select(member => (member.Name, member.Instance)).SequenceEqual(replicas.Select(one => (one.Replica.Name, one.Replica.Instance)));
}
