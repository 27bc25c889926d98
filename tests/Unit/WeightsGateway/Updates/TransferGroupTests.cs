using CsCheck;
using Trestle.WeightsGateway.Replicas;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Tests.Updates;

public sealed class TransferGroupTests
{
    [Fact]
    public void Ranks_are_disjoint_and_without_a_hole() => Gen.Select(Gen.Int[1, 8], Gen.Int[1, 16].Array[0, 40]).Sample((trainer, sizes) =>
    {
        var group = TransferGroup.Plan(1, trainer, sizes.Select((size, at) => (Replica(at), size)));
        var ranks = group.Members.SelectMany(member => Enumerable.Range(member.RankOffset, member.WorldSize));
        ranks.ShouldBe(Enumerable.Range(trainer, group.WorldSize - trainer));
        group.WorldSize.ShouldBe(trainer + sizes.Sum());
    }, iter: 500);

    [Fact]
    public void Another_life_of_a_replica_is_another_group()
    {
        var group = TransferGroup.Plan(1, 1, [(Replica(0), 1), (Replica(1), 1)]);
        group.Holds([(Replica(0), 1), (Replica(1), 1)]).ShouldBeTrue();
        group.Holds([(Replica(0), 1)]).ShouldBeFalse();
        group.Holds([(Replica(0), 1), (Replica(1) with { Instance = new Instance("1", 1) }, 1)]).ShouldBeFalse();
        group.Holds([(Replica(0), 1), (Replica(1), 1), (Replica(2), 1)]).ShouldBeFalse();
    }

    private static Replica Replica(int ordinal) => new($"policy-{ordinal}-0", ordinal, new Instance($"{ordinal}", 0), new Uri("http://a"), new Uri("http://b"));
}
