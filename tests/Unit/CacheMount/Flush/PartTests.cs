using System.IO.Hashing;
using CsCheck;
using Trestle.CacheMount.Flush;

namespace Trestle.CacheMount.Tests.Flush;

public sealed class PartTests
{
    [Fact]
    public void Parts_cover_a_file_of_any_size_once_and_S3_takes_them() =>
        Gen.Long[0, 100L << 40].Sample(size =>
        {
            var plan = PartPlan.For(size);
            plan.Count.ShouldBeInRange(1, PartPlan.MostParts);
            plan.PartSize.ShouldBeGreaterThanOrEqualTo(PartPlan.SmallestPart);
            plan.Part(1).Offset.ShouldBe(0);
            var (offset, length) = plan.Part(plan.Count);
            (offset + length).ShouldBe(size);
            if (size > 0) length.ShouldBeGreaterThan(0);
            if (plan.Count > 1) (plan.Part(plan.Count - 1).Offset + plan.PartSize).ShouldBe(offset);
        });

    [Fact]
    public void The_checksum_of_a_whole_follows_from_those_of_its_pieces() =>
        Gen.Byte.Array[0, 200].Array[1, 5].Sample(pieces =>
            pieces.Skip(1).Aggregate(Crc32.HashToUInt32(pieces[0]), (whole, piece) => CrcCombine.Combine(whole, Crc32.HashToUInt32(piece), piece.Length))
            == Crc32.HashToUInt32([.. pieces.SelectMany(piece => piece)]));

    [Fact]
    public void The_window_grows_by_one_a_round_and_is_halved_once_for_what_was_sent_together()
    {
        var congestion = new Congestion(8, 64);
        for (var part = 0; part < 8; part++) congestion.Succeeded();
        congestion.Limit.ShouldBe(9);
        var epoch = congestion.Epoch;
        for (var part = 0; part < 9; part++) congestion.SlowedDown(epoch);
        congestion.Limit.ShouldBe(4);
        for (var part = 0; part < 10_000; part++) congestion.Succeeded();
        congestion.Limit.ShouldBe(64);
        for (var round = 0; round < 20; round++) congestion.SlowedDown(congestion.Epoch);
        congestion.Limit.ShouldBe(1);
    }

    [Fact]
    public async Task Places_go_to_the_earliest_close_first_and_a_waiter_that_gave_up_takes_none()
    {
        var window = new PartWindow(new Congestion(1, 1));
        var held = await window.EnterAsync(9, 1, CancellationToken.None);
        using var cancelled = new CancellationTokenSource();
        var late = window.EnterAsync(5, 1, CancellationToken.None);
        var gaveUp = window.EnterAsync(2, 1, cancelled.Token);
        var early = window.EnterAsync(3, 7, CancellationToken.None);
        await cancelled.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => gaveUp);
        window.Leave(held, PartOutcome.Arrived);
        var next = await early;
        late.IsCompleted.ShouldBeFalse();
        window.Leave(next, PartOutcome.Failed);
        window.Leave(await late, PartOutcome.Arrived);
        window.UnderWay.ShouldBe(0);
    }
}
