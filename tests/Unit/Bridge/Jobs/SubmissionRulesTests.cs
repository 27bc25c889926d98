using Trestle.Bridge.Jobs;

namespace Trestle.Bridge.Tests.Jobs;

public sealed class SubmissionRulesTests
{
    private static readonly TimeSpan Start = TimeSpan.FromDays(3);

    [Fact]
    public void Another_try_needs_three_empty_looks_that_are_more_than_two_minutes_apart()
    {
        var state = new SubmissionState(1);
        for (var seconds = 0; seconds <= 120; seconds += 30)
        {
            state = SubmissionRules.After(state, new InDoubt(1, true), Start + TimeSpan.FromSeconds(seconds));
            (state.Try, state.IsRuledOut).ShouldBe((1, false), $"after {seconds} s");
        }

        state = SubmissionRules.After(state, new InDoubt(1, true), Start + TimeSpan.FromSeconds(150));
        (state.Try, state.IsRuledOut).ShouldBe((2, true));
    }

    [Fact]
    public void Two_looks_are_not_enough_however_far_apart() =>
        SubmissionRules.After(SubmissionRules.After(new SubmissionState(1), new InDoubt(1, true), Start), new InDoubt(1, true), Start + TimeSpan.FromDays(1)).Try.ShouldBe(1);

    [Fact]
    public void Looks_that_got_no_answer_do_not_count()
    {
        var state = new SubmissionState(1);
        for (var minutes = 0; minutes < 60; minutes++) state = SubmissionRules.After(state, new InDoubt(1, false), Start + TimeSpan.FromMinutes(minutes));
        (state.Try, state.EmptyLooks).ShouldBe((1, 0));
    }

    [Fact]
    public void A_newer_try_of_another_bridge_begins_the_looks_anew()
    {
        var state = SubmissionRules.After(SubmissionRules.After(new SubmissionState(1), new InDoubt(1, true), Start), new InDoubt(1, true), Start + TimeSpan.FromSeconds(60));
        state = SubmissionRules.After(state, new InDoubt(2, true), Start + TimeSpan.FromSeconds(200));
        (state.Try, state.EmptyLooks, state.FirstEmptyLook).ShouldBe((2, 1, Start + TimeSpan.FromSeconds(200)));
    }

    [Fact]
    public void Silence_keeps_the_try_and_waits_longer_each_time()
    {
        var state = new SubmissionState(1) { IsFirst = true };
        var waits = new List<double>();
        for (var count = 0; count < 7; count++)
        {
            state = SubmissionRules.After(state, new NotHeard("x"), Start);
            waits.Add((state.NotBefore - Start).TotalSeconds);
            (state.Try, state.IsFirst).ShouldBe((1, false));
        }

        waits.ShouldBe([5, 10, 20, 40, 80, 80, 80]);
    }

    [Theory]
    [InlineData("sbatch: error: Batch job submission failed: Invalid qos specification", 1, true)]
    [InlineData("sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", 2, true)]
    [InlineData("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", 1, false)]
    public void Only_an_error_of_which_nothing_can_come_allows_the_next_try_at_once(string text, int allowed, bool ruledOut)
    {
        var state = SubmissionRules.After(new SubmissionState(1), new SbatchFailed(1, false, text), Start);
        (state.Try, state.IsRuledOut).ShouldBe((allowed, ruledOut));
    }
}
