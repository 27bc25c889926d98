using CsCheck;
using k8s;
using k8s.Models;

namespace Trestle.Runtime.Tests.Leadership;

public sealed class LeaderGateTests
{
    private enum Connection
    {
        Good,
        Refused,
        Hanging,
        AnswersLost,
    }

    [Fact]
    public async Task There_are_never_two_leaders_whatever_the_connections_do() =>
        await Gen.Select(Gen.Enum<Connection>(), Gen.Enum<Connection>(), Gen.Int[1, 25]).Array[1, 12].SampleAsync(
            async phases =>
            {
                var now = new Connection[2];
                await using var candidates = new Candidates
                {
                    Before = (name, _, ct) => now[name[0] - 'a'] switch
                    {
                        Connection.Refused => throw new HttpRequestException("refused"),
                        Connection.Hanging => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct),
                        _ => Task.CompletedTask,
                    },
                    After = (name, _, _) => now[name[0] - 'a'] == Connection.AnswersLost ? throw new HttpRequestException("reset") : Task.CompletedTask,
                };
                candidates.Start("a", TimeSpan.FromHours(1));
                candidates.Start("b", -TimeSpan.FromHours(1));
                foreach (var (a, b, seconds) in phases)
                {
                    (now[0], now[1]) = (a, b);
                    var until = candidates.Time.GetUtcNow().AddSeconds(seconds);
                    await candidates.Time.UntilAsync(
                        () =>
                        {
                            candidates.Leaders.Count.ShouldBeLessThanOrEqualTo(1);
                            return candidates.Time.GetUtcNow() >= until;
                        },
                        stepSeconds: 0.5);
                }

                // And leadership always comes back.
                (now[0], now[1]) = (Connection.Good, Connection.Good);
                await candidates.Time.UntilAsync(() => candidates.Leaders.Count == 1);
            },
            iter: 25,
            threads: 2);

    [Fact]
    public async Task A_leader_that_stops_hands_over_at_once()
    {
        await using var candidates = new Candidates();
        candidates.Start("a");
        await candidates.LeadsAsync("a");
        candidates.Start("b");
        await candidates.Time.PassAsync(60);
        candidates.Leaders.ShouldBe(["a"]);

        await candidates.AskToStopAsync("a");
        var passed = await candidates.Time.UntilAsync(() => candidates.Leaders.SequenceEqual(["b"]));
        passed.ShouldBeLessThan(LeaseTiming.Default.RenewDeadline);
        await candidates.Ended("a");
        candidates.Lease!.Spec.LeaseTransitions.ShouldBe(1);
    }

    [Fact]
    public async Task A_leader_that_hangs_is_followed_after_the_lease_has_run_out_and_not_before()
    {
        await using var candidates = new Candidates();
        candidates.Start("a");
        await candidates.LeadsAsync("a");
        candidates.Start("b");
        await candidates.Time.PassAsync(5);
        var last = candidates.Time.GetUtcNow();
        candidates.Before = (name, _, ct) => name == "a" ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct) : Task.CompletedTask;

        await candidates.Time.UntilAsync(() => candidates.Leaders.Count == 0);
        (candidates.Time.GetUtcNow() - last).ShouldBeLessThanOrEqualTo(LeaseTiming.Default.RenewDeadline + TimeSpan.FromSeconds(1));
        await candidates.LeadsAsync("b");
        (candidates.Time.GetUtcNow() - last).ShouldBeGreaterThanOrEqualTo(LeaseTiming.Default.Duration - LeaseTiming.Default.RetryPeriod);
    }

    [Fact]
    public async Task A_term_ends_in_time_even_when_a_request_can_not_be_cancelled()
    {
        await using var candidates = new Candidates();
        var stuck = new TaskCompletionSource();
        candidates.Start("a");
        await candidates.LeadsAsync("a");
        candidates.Before = (_, _, _) => stuck.Task;
        var passed = await candidates.Time.UntilAsync(() => candidates.Leaders.Count == 0);
        passed.ShouldBeLessThanOrEqualTo(LeaseTiming.Default.RenewDeadline + TimeSpan.FromSeconds(0.5));
        stuck.SetResult();
    }

    [Fact]
    public async Task Lost_leadership_is_regained_when_the_server_is_back()
    {
        await using var candidates = new Candidates();
        candidates.Start("a");
        for (var term = 1; term <= 3; term++)
        {
            await candidates.Time.UntilAsync(() => candidates.TermsOf("a") == term && candidates.Leaders.Count == 1);
            candidates.Before = (_, _, _) => throw new HttpRequestException("down");
            await candidates.Time.UntilAsync(() => candidates.Leaders.Count == 0);
            candidates.Before = (_, _, _) => Task.CompletedTask;
        }
    }

    [Fact]
    public async Task The_lease_is_held_until_the_workers_have_drained()
    {
        await using var candidates = new Candidates();
        var drained = new TaskCompletionSource();
        candidates.Drain = name => name == "a" ? drained.Task : Task.CompletedTask;
        candidates.Start("a");
        await candidates.LeadsAsync("a");
        candidates.Start("b");
        await candidates.AskToStopAsync("a");
        await candidates.Time.PassAsync(60);
        candidates.Lease!.Spec.HolderIdentity.ShouldBe("a");
        candidates.TermsOf("b").ShouldBe(0);

        drained.SetResult();
        await candidates.LeadsAsync("b");
    }

    [Fact]
    public async Task A_renewal_whose_answer_is_lost_does_not_end_the_term()
    {
        await using var candidates = new Candidates();
        candidates.Start("a");
        await candidates.LeadsAsync("a");
        var writes = 0;
        candidates.After = (_, _, _) => Interlocked.Increment(ref writes) % 2 == 1 ? throw new HttpRequestException("reset") : Task.CompletedTask;
        await candidates.Time.UntilAsync(() => writes >= 10);
        candidates.Leaders.ShouldBe(["a"]);
        candidates.TermsOf("a").ShouldBe(1);
    }

    [Fact]
    public async Task A_lease_that_is_taken_over_ends_the_term()
    {
        await using var candidates = new Candidates();
        candidates.Start("a");
        await candidates.LeadsAsync("a");
        var lease = candidates.Lease!;
        lease.Spec.HolderIdentity = "another";
        candidates.Server.Put(lease);
        (await candidates.Time.UntilAsync(() => candidates.Leaders.Count == 0)).ShouldBeLessThan(LeaseTiming.Default.RenewDeadline);
        await candidates.LeadsAsync("a");
    }

    [Fact]
    public async Task Work_that_ends_by_itself_ends_it_and_releases_the_lease()
    {
        await using var candidates = new Candidates();
        candidates.Start("a", TimeSpan.Zero, _ => Task.CompletedTask);
        await candidates.Ended("a");
        candidates.Lease!.Spec.HolderIdentity.ShouldBeNull();
    }

    [Fact]
    public async Task What_the_work_throws_comes_out_after_the_lease_was_released()
    {
        await using var candidates = new Candidates();
        candidates.Start("a", TimeSpan.Zero, _ => throw new InvalidOperationException("broken"));
        (await Should.ThrowAsync<InvalidOperationException>(candidates.Ended("a"))).Message.ShouldBe("broken");
        candidates.Lease!.Spec.HolderIdentity.ShouldBeNull();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10_000)]
    [InlineData(5_000_000)]
    public async Task Lease_times_have_six_digits_even_at_a_whole_second(long ticks)
    {
        await using var candidates = new Candidates();
        candidates.Time.Advance(TimeSpan.FromTicks(ticks));
        candidates.Start("a");
        await candidates.Time.SettledAsync(() => candidates.Leaders.Count == 1);
        var spec = candidates.Lease!.Spec;
        KubernetesJson.Serialize(new V1Lease { Spec = new V1LeaseSpec { RenewTime = spec.RenewTime } }).ShouldMatch(@"""renewTime"":""[0-9T:-]+\.[0-9]{6}Z""");
        KubernetesJson.Serialize(new V1Lease { Spec = new V1LeaseSpec { RenewTime = spec.AcquireTime } }).ShouldMatch(@"""renewTime"":""[0-9T:-]+\.[0-9]{6}Z""");
        spec.LeaseDurationSeconds.ShouldBe(15);
    }
}
