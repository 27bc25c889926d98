using CsCheck;
using Trestle.CacheMount.Flush;

namespace Trestle.CacheMount.Tests.Flush;

public sealed class CommitOrderTests
{
    [Fact]
    public void Whatever_the_order_of_getting_ready_commits_come_in_close_order() =>
        Gen.Select(Gen.Int[1, 30], Gen.Int.Array[30], Gen.Bool.Array[30]).Sample((count, keys, dropped) =>
        {
            var order = new CommitOrder();
            var committed = new List<long>();
            for (var sequence = 1L; sequence <= count; sequence++) order.Add(sequence);
            foreach (var sequence in Enumerable.Range(1, count).OrderBy(sequence => keys[sequence - 1]))
            {
                if (dropped[sequence - 1]) order.Remove(sequence);
                else order.Ready(sequence).ShouldBeTrue();
                while (order.Next is { } next)
                {
                    committed.Add(next);
                    order.IsDoneUpTo(next).ShouldBeFalse();
                    order.Remove(next);
                    order.IsDoneUpTo(next).ShouldBeTrue();
                }
            }

            committed.ShouldBe(Enumerable.Range(1, count).Where(sequence => !dropped[sequence - 1]).Select(sequence => (long)sequence));
        });

    [Fact]
    public void What_was_dropped_can_not_get_ready()
    {
        var order = new CommitOrder();
        order.Add(1);
        order.Remove(1);
        order.Ready(1).ShouldBeFalse();
        order.Next.ShouldBeNull();
    }
}
