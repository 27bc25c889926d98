using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.TrainingJobs;

public sealed class HangsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(30);
    private static readonly TrainingJob Job = AJob.Named().Build();

    [Fact]
    public void When_no_rank_shows_a_sign_of_life_the_job_hangs_and_no_node_is_blamed()
    {
        var hung = First(Beat(31), Beat(40), Beat(30)).ShouldNotBeNull();
        (hung.Cause, hung.Reason, hung.Rank, hung.Node).ShouldBe((FailureCause.User, "Hung", 1, null));
        hung.Message.ShouldBe("no rank has shown a sign of life for 30m; rank 1 has been quiet the longest");
    }

    [Fact]
    public void Ranks_may_be_quiet_while_one_writes() => First(Beat(0), Beat(300), Beat(300)).ShouldBeNull();

    [Fact]
    public void A_rank_that_touched_its_heartbeat_file_and_stops_hangs_whoever_else_writes()
    {
        var hung = First(Beat(0), Beat(0, untouched: 31), Beat(0, untouched: 1)).ShouldNotBeNull();
        (hung.Rank, hung.Node, hung.Message).ShouldBe((1, "n1", "rank 1 on node n1 has not touched its heartbeat file for 31m"));
    }

    [Fact]
    public void Lost_contact_is_no_hang()
    {
        First(Beat(300), null, Beat(300)).ShouldBeNull("nothing is known of rank 1");
        First(Beat(300, untouched: 300, ago: 10), Beat(300, ago: 10), Beat(300, ago: 10)).ShouldBeNull("what was said last is too long ago");
        First([null, null, null]).ShouldBeNull();
    }

    [Fact]
    public void Waiting_for_the_last_rank_to_start_is_no_hang() => First(TimeSpan.FromMinutes(29), Beat(300, untouched: 300), Beat(300), Beat(300)).ShouldBeNull();

    [Fact]
    public void A_rank_that_has_finished_is_not_asked() =>
        Hangs.First(Timeout, Timeout, null, [APod.Of(Job, 1).Running().Build()], new Dictionary<int, Heartbeat> { [0] = Beat(0)!, [1] = Beat(31)! }, Noon).ShouldNotBeNull().Rank.ShouldBe(1);

    [Theory]
    [InlineData(29, false)]
    [InlineData(30, true)]
    public void A_rank_that_was_quiet_beside_one_that_wrote_has_the_whole_timeout_from_when_that_one_finished(int ago, bool hangs)
    {
        PodView[] left = [APod.Of(Job, 1).Running().Build()];
        (Hangs.First(Timeout, TimeSpan.FromHours(9), TimeSpan.FromMinutes(ago), left, new Dictionary<int, Heartbeat> { [1] = Beat(300)! }, Noon) is not null).ShouldBe(hangs);
    }

    [Fact]
    public void Nobody_hangs_of_whom_a_sign_of_life_was_seen_in_time() =>
        Gen.Int[0, 59].Array[1, 5].SelectMany(silent => Gen.Int[0, silent.Length - 1].Select(alive => (silent, alive))).Sample(given =>
        {
            given.silent[given.alive] %= 30;
            First([.. given.silent.Select(minutes => Beat(minutes))]).ShouldBeNull();
        });

    [Theory]
    [InlineData(1, 1)]
    [InlineData(60, 6)]
    [InlineData(86400, 60)]
    public void Ten_heartbeats_fit_into_the_timeout_within_reason(int timeout, int seconds) =>
        Heartbeat.Interval(TimeSpan.FromSeconds(timeout)).ShouldBe(TimeSpan.FromSeconds(seconds));

    private static RankFailure? First(params Heartbeat?[] beats) => First(TimeSpan.FromHours(9), beats);

    private static RankFailure? First(TimeSpan ranFor, params Heartbeat?[] beats)
    {
        PodView[] pods = [.. beats.Select((_, rank) => APod.Of(Job, rank).Running().Build())];
        return Hangs.First(Timeout, ranFor, null, pods, beats.Index().Where(beat => beat.Item is not null).ToDictionary(beat => beat.Index, beat => beat.Item!), Noon);
    }

    private static Heartbeat? Beat(int silent, int? untouched = null, int ago = 0) =>
        new(TimeSpan.FromMinutes(silent), untouched is { } minutes ? TimeSpan.FromMinutes(minutes) : null, Noon.AddMinutes(-ago));
}
