using Trestle.Bridge.Jobs;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Tests.Jobs;

public sealed class QueueViewTests
{
    private static readonly TimeSpan Now = TimeSpan.FromDays(3);
    private static readonly Dictionary<string, string> Wanted = new() { ["7"] = "key-a1" };
    private static readonly Dictionary<string, JobRecord> Nothing = [];

    [Fact]
    public void The_queue_is_believed_whatever_accounting_says() =>
        State(QueueView.Empty.Next(Wanted, Job("RUNNING"), Job("NODE_FAIL"), Now)).ShouldBe("RUNNING");

    [Fact]
    public void An_end_in_accounting_is_taken_at_once() => State(QueueView.Empty.Next(Wanted, Nothing, Job("FAILED"), Now)).ShouldBe("FAILED");

    [Theory]
    [InlineData("NODE_FAIL")]
    [InlineData("PREEMPTED")]
    public void An_end_after_which_Slurm_may_requeue_needs_a_second_look(string state)
    {
        var first = QueueView.Empty.Next(Wanted, Nothing, Job(state), Now);
        first.Of("7").ShouldBeOfType<Missing>();
        State(first.Next(Wanted, Nothing, Job(state), Now)).ShouldBe(state);
        State(first.Next(Wanted, Job("PENDING"), null, Now)).ShouldBe("PENDING");
    }

    [Theory]
    [InlineData("RUNNING")]
    [InlineData("PENDING")]
    [InlineData("REQUEUED")]
    public void What_accounting_thinks_alive_and_the_queue_does_not_know_is_missing(string state) =>
        QueueView.Empty.Next(Wanted, Nothing, Job(state), Now).Of("7").ShouldBe(new Missing(Now, 1, true));

    [Fact]
    public void A_job_of_another_name_under_the_same_id_is_another_job() =>
        QueueView.Empty.Next(Wanted, Job("COMPLETED", "stranger"), Job("COMPLETED", "stranger"), Now).Of("7").ShouldBeOfType<Missing>();

    [Fact]
    public void Missing_counts_looks_from_the_first_on()
    {
        var view = QueueView.Empty.Next(Wanted, Nothing, Nothing, Now).Next(Wanted, Nothing, null, Now + TimeSpan.FromSeconds(10)).Next(Wanted, Nothing, Nothing, Now + TimeSpan.FromSeconds(20));
        view.Of("7").ShouldBe(new Missing(Now, 3, true));
    }

    [Fact]
    public void A_job_is_seen_since_the_first_look_that_knew_it()
    {
        var view = QueueView.Empty.Next(Wanted, Job("PENDING"), null, Now).Next(Wanted, Job("RUNNING"), null, Now + TimeSpan.FromSeconds(10));
        view.Of("7").ShouldBeOfType<Seen>().Since.ShouldBe(Now);
    }

    [Fact]
    public void Two_failed_looks_are_lost_contact_and_what_was_known_comes_back_with_the_next()
    {
        var known = QueueView.Empty.Next(Wanted, Job("RUNNING"), null, Now);
        State(known.Failed("x")).ShouldBe("RUNNING");
        known.Failed("x").Failed("y").Of("7").ShouldBe(new OutOfSight("y"));
        State(known.Failed("x").Failed("y").Next(Wanted, Job("RUNNING"), null, Now)).ShouldBe("RUNNING");
    }

    private static Dictionary<string, JobRecord> Job(string state, string name = "key-a1") => new() { ["7"] = new JobRecord { Id = "7", Name = name, State = SlurmStates.Of(state) } };

    private static string State(QueueView view) => view.Of("7").ShouldBeOfType<Seen>().Job.State.Name;
}
