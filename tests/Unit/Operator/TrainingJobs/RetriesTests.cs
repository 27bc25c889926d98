using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Tests.TrainingJobs;

public sealed class RetriesTests
{
    private static readonly Recovery Thrice = new() { MaxRestarts = 3, Backoff = new Backoff { Initial = "1s", Max = "3s" } };

    [Fact]
    public void A_failure_of_the_user_restarts_as_long_as_the_budget_lasts()
    {
        Judge(Thrice, 2, FailureCause.User).Restarts.ShouldBeTrue();
        var last = Judge(Thrice, 3, FailureCause.User);
        last.Restarts.ShouldBeFalse();
        last.Message.ShouldBe("rank 0 ended with exit code 1, and all 3 restarts are used");
    }

    [Fact]
    public void Without_a_budget_the_first_failure_is_the_end() =>
        Judge(null, null, FailureCause.User).ShouldSatisfyAllConditions(verdict => verdict.Restarts.ShouldBeFalse(), verdict => verdict.Message.ShouldBe("rank 0 ended with exit code 1"));

    [Fact]
    public void A_final_exit_code_ends_the_job_whatever_is_left() => Judge(Thrice, 0, FailureCause.Final).Restarts.ShouldBeFalse();

    [Theory]
    [InlineData(FailureCause.Infrastructure)]
    [InlineData(FailureCause.Recoverable)]
    public void What_is_not_the_users_fault_takes_nothing_of_the_budget(FailureCause cause)
    {
        var verdict = Judge(Thrice, 3, cause);
        verdict.Restarts.ShouldBeTrue();
        verdict.Counts.Counted.ShouldBe(3);
    }

    [Fact]
    public void Waits_double_up_to_the_longest_and_start_anew_after_a_long_run()
    {
        Judge(Thrice, 0, FailureCause.User).Wait.ShouldBe(TimeSpan.FromSeconds(1));
        Judge(Thrice, 1, FailureCause.User).Wait.ShouldBe(TimeSpan.FromSeconds(2));
        Judge(Thrice, 2, FailureCause.User).Wait.ShouldBe(TimeSpan.FromSeconds(3));
        Judge(Thrice, 2, FailureCause.User, TimeSpan.FromHours(1)).Wait.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void The_first_lost_node_does_not_make_anybody_wait() => Judge(null, null, FailureCause.Infrastructure).Wait.ShouldBe(TimeSpan.Zero);

    [Fact]
    public void No_number_of_failures_waits_longer_than_the_longest() =>
        Gen.Select(Gen.Int[0, int.MaxValue - 1], Gen.Enum<FailureCause>()).Sample((failures, cause) =>
        {
            var counts = new RestartCounts { Counted = failures, Infrastructure = failures, Recovered = failures };
            var recovery = new Recovery { MaxRestarts = 10_000 };
            Retries.Judge(recovery, counts, new RankFailure(cause, 0, "RunFailed", ""), TimeSpan.Zero).Wait.ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromMinutes(5));
        });

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

    private static Verdict Judge(Recovery? recovery, int? counted, FailureCause cause, TimeSpan ranFor = default) =>
        Retries.Judge(recovery, new RestartCounts { Counted = counted }, new RankFailure(cause, 0, "RunFailed", "rank 0 ended with exit code 1"), ranFor);
}
