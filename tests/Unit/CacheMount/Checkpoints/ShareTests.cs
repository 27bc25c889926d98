using CsCheck;
using Trestle.CacheMount.Checkpoints;

namespace Trestle.CacheMount.Tests.Checkpoints;

public sealed class ShareTests
{
    private static readonly IReadOnlySet<int> Nobody = new HashSet<int>();

    [Fact]
    public void A_checkpoint_is_whole_when_all_ranks_have_answered_those_who_finished_it()
    {
        var sum = new ShareSum(3);
        sum.Missing([AShare(0, "f")], Nobody).ShouldBe([1, 2]);
        sum.Missing([AShare(0, "f"), AShare(1, null, "f"), AShare(2, null, "older")], Nobody).ShouldBe([2]);
        sum.Missing([AShare(0, "f"), AShare(1, null, "f"), AShare(2, "own")], Nobody).ShouldBe([1]);
        sum.Missing([AShare(0, "f"), AShare(1, null, "f", "own"), AShare(2, "own")], Nobody).ShouldBeEmpty();
    }

    [Fact]
    public void A_rank_that_has_ended_is_not_waited_for_and_nothing_is_whole_that_nobody_finished()
    {
        var sum = new ShareSum(2);
        sum.Missing([AShare(0, "f")], new HashSet<int> { 1 }).ShouldBeEmpty();
        sum.Missing([AShare(0, null), AShare(1, null)], new HashSet<int> { 0, 1 }).ShouldBe([0, 1]);
    }

    [Fact]
    public void Whoever_makes_the_manifest_makes_the_same_bytes() => Gen.Shuffle(Enumerable.Range(0, 5).ToArray()).Sample(order =>
    {
        var shares = order.Select(rank => AShare(rank, rank is 1 or 3 ? $"f{rank}" : null, "f1", "f3") with { At = DateTimeOffset.UnixEpoch.AddSeconds(rank) }).ToList();
        var manifest = new ShareSum(5).Manifest(shares, "job", 2, new Dictionary<string, string>())!;
        manifest.Files.Select(file => file.Path).ShouldBe(Enumerable.Range(0, 5).Select(rank => $"step-1/{rank}"));
        (manifest.Writer, manifest.Attempt, manifest.Nodes, manifest.DurableAt).ShouldBe(("node-1", 2, 5, DateTimeOffset.UnixEpoch.AddSeconds(4)));
        manifest.ToJson().ShouldBe(new ShareSum(5).Manifest([.. shares.OrderBy(share => share.Rank)], "job", 2, new Dictionary<string, string>())!.ToJson());
    });

    [Fact]
    public void Of_a_file_that_two_ranks_wrote_the_manifest_tells_what_the_store_has_or_there_is_none()
    {
        CheckpointShare[] shares = [AShare(0, "f") with { Files = [new("step-1/a", 1, "one", 1)] }, AShare(1, null, "f") with { Files = [new("step-1/a", 1, "two", 2)] }];
        ShareSum.Disputed(shares).ShouldBe(["step-1/a"]);
        var sum = new ShareSum(2);
        sum.Manifest(shares, "job", 1, new Dictionary<string, string> { ["step-1/a"] = "one" })!.Files.Single().ETag.ShouldBe("one");
        sum.Manifest(shares, "job", 1, new Dictionary<string, string> { ["step-1/a"] = "three" }).ShouldBeNull();
    }

    [Theory]
    [InlineData("step-1", "step-2/a")]
    [InlineData("step-1", "step-1/../x")]
    [InlineData("..", "../a")]
    public void A_share_that_names_what_is_not_of_its_checkpoint_is_none(string name, string path) =>
        CheckpointShare.FromJson((AShare(0, "f") with { Name = name, Files = [new(path, 1, "e", 0)] }).ToJson()).ShouldBeNull();

    private static CheckpointShare AShare(int rank, string? finish, params string[] answers) =>
        new("step-1", rank, finish, answers, DateTimeOffset.UnixEpoch, [new($"step-1/{rank}", 1, "e", 0)]) { Writer = $"node-{rank}" };
}
