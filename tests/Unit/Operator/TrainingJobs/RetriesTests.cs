using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Tests.TrainingJobs;

public sealed class RetriesTests
{
    private static readonly Recovery Thrice = new() { MaxRestarts = 3, Backoff = new Backoff { Initial = "1s", Max = "3s" } };
    private static readonly DateTime Noon = new(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Minutes = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData(FailureCause.Infrastructure, RecoveryAction.Restart, 2, 1, null)]
    [InlineData(FailureCause.Unplaced, RecoveryAction.Requeue, 2, null, null)]
    [InlineData(FailureCause.Recoverable, RecoveryAction.Restart, 2, null, 1)]
    [InlineData(FailureCause.Final, RecoveryAction.Fail, 2, null, null)]
    [InlineData(FailureCause.User, RecoveryAction.Restart, 3, null, null)]
    public void Each_cause_has_its_line_in_the_table(FailureCause cause, RecoveryAction action, int counted, int? infrastructure, int? recovered)
    {
        var verdict = Judge(Thrice, 2, cause);
        verdict.Action.ShouldBe(action);
        (verdict.Counts.Counted, verdict.Counts.Infrastructure, verdict.Counts.Recovered).ShouldBe((counted, infrastructure, recovered));
    }

    [Fact]
    public void A_failure_of_the_user_restarts_as_long_as_the_budget_lasts()
    {
        Judge(Thrice, 2, FailureCause.User).Action.ShouldBe(RecoveryAction.Restart);
        var last = Judge(Thrice, 3, FailureCause.User);
        last.Action.ShouldBe(RecoveryAction.Fail);
        (last.Message, last.Counts.Counted).ShouldBe(("rank 0 ended with exit code 1, and all 3 restarts are used", 3));
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(-1, 0)]
    [InlineData(3600, 0)]
    public void A_back_off_is_kept_and_one_from_before_the_clock_was_set_back_is_over(int secondsAhead, int wait)
    {
        var job = AJob.Named().With(job => (job.Spec.Recovery, job.Status) = (Thrice, new TrainingJobStatus { Retry = new RetryStatus { NotBefore = Noon.AddSeconds(secondsAhead) } })).Build();
        job.HoldsOff(new DateTimeOffset(Noon)).ShouldBe(TimeSpan.FromSeconds(wait));
    }

    [Fact]
    public void Without_a_budget_the_first_failure_is_the_end() =>
        Judge(null, null, FailureCause.User).ShouldSatisfyAllConditions(verdict => verdict.Action.ShouldBe(RecoveryAction.Fail), verdict => verdict.Message.ShouldBe("rank 0 ended with exit code 1"));

    [Fact]
    public void A_final_exit_code_ends_the_job_whatever_is_left() => Judge(Thrice, 0, FailureCause.Final).Action.ShouldBe(RecoveryAction.Fail);

    [Theory]
    [InlineData(FailureCause.Infrastructure)]
    [InlineData(FailureCause.Unplaced)]
    [InlineData(FailureCause.Recoverable)]
    public void What_is_not_the_users_fault_takes_nothing_of_the_budget(FailureCause cause)
    {
        var verdict = Judge(Thrice, 3, cause);
        verdict.Action.ShouldNotBe(RecoveryAction.Fail);
        verdict.Counts.Counted.ShouldBe(3);
    }

    [Fact]
    public void Waits_double_up_to_the_longest_and_start_anew_after_a_long_run()
    {
        Judge(Thrice, 0, FailureCause.User).Wait.ShouldBe(TimeSpan.FromSeconds(1));
        Judge(Thrice, 1, FailureCause.User).Wait.ShouldBe(TimeSpan.FromSeconds(2));
        Judge(Thrice, 2, FailureCause.User).Wait.ShouldBe(TimeSpan.FromSeconds(3));
        Judge(Thrice, 2, FailureCause.User, Minutes).Wait.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void The_first_lost_node_does_not_make_anybody_wait_and_one_after_another_does()
    {
        Judge(null, null, FailureCause.Infrastructure).Wait.ShouldBe(TimeSpan.Zero);
        var again = new FailedAttempt(Failure(FailureCause.Infrastructure)) { Counts = new RestartCounts { Infrastructure = 2 }, CheckpointAt = Noon };
        Retries.Judge(null, again with { Retry = new RetryStatus { CheckpointAt = Noon } }).Wait.ShouldBe(TimeSpan.FromSeconds(20));
        Retries.Judge(null, again).Wait.ShouldBe(TimeSpan.Zero, "it got further between the two");
    }

    [Fact]
    public void Requeues_wait_longer_each_time_until_an_attempt_has_run()
    {
        var attempt = new FailedAttempt(Failure(FailureCause.Unplaced));
        var waits = new List<TimeSpan>();
        for (var turn = 0; turn < 3; turn++)
        {
            var verdict = Retries.Judge(null, attempt);
            waits.Add(verdict.Wait);
            attempt = attempt with { Retry = verdict.Retry, Counts = verdict.Counts };
        }

        waits.Select(wait => wait.TotalSeconds).ShouldBe([10, 20, 40]);
        Retries.Judge(null, attempt with { RanFor = Minutes }).Wait.ShouldBe(TimeSpan.FromSeconds(10));
        Retries.Judge(null, attempt with { Failure = Failure(FailureCause.Infrastructure) }).Retry.Requeues.ShouldBeNull();
    }

    [Fact]
    public void The_count_begins_anew_when_there_is_a_newer_durable_checkpoint()
    {
        var attempt = new FailedAttempt(Failure(FailureCause.User)) { Counts = new RestartCounts { Counted = 3 }, RanFor = Minutes, CheckpointAt = Noon };
        Retries.Judge(Thrice, attempt).ShouldSatisfyAllConditions(
            first => first.Action.ShouldBe(RecoveryAction.Restart),
            first => first.Counts.Counted.ShouldBe(1),
            first => first.Retry.CheckpointAt.ShouldBe(Noon));
        var stuck = attempt with { Retry = new RetryStatus { CheckpointAt = Noon }, RanFor = TimeSpan.FromHours(5) };
        Retries.Judge(Thrice, stuck).Action.ShouldBe(RecoveryAction.Fail, "it ran long and saved nothing new");
    }

    [Fact]
    public void Without_checkpoints_that_we_know_of_an_hour_is_progress()
    {
        Judge(Thrice, 3, FailureCause.User, TimeSpan.FromMinutes(59)).Action.ShouldBe(RecoveryAction.Fail);
        Judge(Thrice, 3, FailureCause.User, TimeSpan.FromHours(1)).Counts.Counted.ShouldBe(1);
    }

    [Fact]
    public void Code_that_fails_five_times_in_a_row_at_its_start_is_not_tried_again()
    {
        var plenty = new Recovery { MaxRestarts = 100 };
        var attempt = new FailedAttempt(Failure(FailureCause.User)) { Nodes = 4 };
        Times(4).Action.ShouldBe(RecoveryAction.Restart);
        var fifth = Times(5);
        fifth.Action.ShouldBe(RecoveryAction.Fail);
        fifth.Message.ShouldBe("rank 0 ended with exit code 1; it failed within a minute of its start 5 times in a row, so that the restarts it has left are not tried");
        Times(5, then: attempt with { RanFor = Minutes }).Action.ShouldBe(RecoveryAction.Restart, "it ran in between");
        Times(5, then: attempt with { Failure = Failure(FailureCause.Infrastructure) }).Action.ShouldBe(RecoveryAction.Fail, "a lost node says nothing of the code");
        attempt = attempt with { SuspectsNode = true };
        Times(5).Action.ShouldBe(RecoveryAction.Restart, "one node had them all");
        attempt = attempt with { Nodes = 1 };
        Times(5).Action.ShouldBe(RecoveryAction.Fail, "it has no other node");

        Verdict Times(int failures, FailedAttempt? then = null)
        {
            Verdict? verdict = null;
            for (var turn = 0; turn < failures; turn++)
            {
                if (turn == 2 && then is not null) Try(then);
                Try(attempt);
            }

            return verdict!;

            void Try(FailedAttempt next) => verdict = Retries.Judge(plenty, next with { Counts = verdict?.Counts, Retry = verdict?.Retry });
        }
    }

    [Fact]
    public void No_number_of_failures_waits_longer_than_the_longest() =>
        Gen.Select(Gen.Int[0, int.MaxValue - 1], Gen.Enum<FailureCause>()).Sample((failures, cause) =>
        {
            var counts = new RestartCounts { Counted = failures, Infrastructure = failures, Recovered = failures };
            var attempt = new FailedAttempt(Failure(cause)) { Counts = counts, Retry = new RetryStatus { Requeues = failures } };
            Retries.Judge(new Recovery { MaxRestarts = 10_000 }, attempt).Wait.ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromMinutes(5));
        });

    [Fact]
    public void A_node_is_given_away_when_it_is_lost_or_fails_the_job_twice()
    {
        Drops(FailureCause.Infrastructure, []).ShouldBeTrue();
        Drops(FailureCause.Unplaced, []).ShouldBeTrue();
        Drops(FailureCause.User, []).ShouldBeFalse();
        Drops(FailureCause.User, [new NodeFailures { Node = "n1", Failures = 1 }]).ShouldBeTrue();
        Drops(FailureCause.User, [new NodeFailures { Node = "n2", Failures = 1 }]).ShouldBeFalse();
        Drops(FailureCause.Recoverable, [new NodeFailures { Node = "n1", Failures = 1 }]).ShouldBeFalse();

        static bool Drops(FailureCause cause, List<NodeFailures> before) =>
            Retries.Judge(Thrice, new FailedAttempt(Failure(cause)) { SuspectsNode = true, Retry = new RetryStatus { Nodes = before } }).DropsNode;
    }

    [Fact]
    public void Blame_is_counted_by_node_with_the_newest_last()
    {
        var nodes = Retries.Blame(Retries.Blame(Retries.Blame(null, "n1"), "n2"), "n1").ShouldNotBeNull();
        nodes.Select(node => (node.Node, node.Failures)).ShouldBe([("n2", 1), ("n1", 2)]);
    }

    [Fact]
    public void No_more_nodes_are_blamed_than_the_status_holds()
    {
        List<NodeFailures>? nodes = null;
        for (var node = 0; node < 100; node++) nodes = Retries.Blame(nodes, $"n{node}");
        nodes!.Count.ShouldBe(64);
        nodes[^1].Node.ShouldBe("n99");
    }

    private static RankFailure Failure(FailureCause cause) => new(cause, 0, "RunFailed", "rank 0 ended with exit code 1") { Node = "n1" };

    private static Verdict Judge(Recovery? recovery, int? counted, FailureCause cause, TimeSpan ranFor = default) =>
        Retries.Judge(recovery, new FailedAttempt(Failure(cause)) { Counts = new RestartCounts { Counted = counted }, RanFor = ranFor });
}
