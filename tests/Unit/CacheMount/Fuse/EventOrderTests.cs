using CsCheck;
using Trestle.CacheMount.Fuse;

namespace Trestle.CacheMount.Tests.Fuse;

public sealed class EventOrderTests
{
    [Fact]
    public void What_is_told_comes_out_in_the_order_of_the_numbers() =>
        Gen.Shuffle(Enumerable.Range(1, 20).ToArray()).Select(Gen.Int[0, 3].Array[20]).Sample((order, counts) =>
        {
            using var events = new EventOrder<(int Number, int Part)>();
            for (var number = 1; number <= 20; number++) events.Take().ShouldBe(number);
            foreach (var number in order) events.Tell(number, [.. Enumerable.Range(0, counts[number - 1]).Select(part => (number, part))]);
            var told = new List<(int, int)>();
            while (events.TryNext(out var next, 0)) told.Add(next);
            told.ShouldBe(Enumerable.Range(1, 20).SelectMany(number => Enumerable.Range(0, counts[number - 1]).Select(part => (number, part))));
        });
}
