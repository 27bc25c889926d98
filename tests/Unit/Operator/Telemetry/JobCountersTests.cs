using Trestle.Api.V1Alpha1;
using Trestle.Operator.Telemetry;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.Telemetry;

public sealed class JobCountersTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(JobLife.Noon);

    private readonly OperatorMetrics _metrics = new(TimeProvider.System);

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task A_whole_life_counts_each_thing_once()
    {
        await new JobLife(AJob.Named().Nodes(2).Restarts(1).With(job => job.Spec.Scheduling = new Trestle.Api.V1Alpha1.Scheduling { Queue = "research", Priority = 5 }), _metrics.Jobs.Observe).LiveAsync();

        (await ValueAsync("trestle_attempts_total{queue=\"research\"}")).ShouldBe(2);
        (await ValueAsync("trestle_restarts_total{cause=\"user\"}")).ShouldBe(1);
        (await ValueAsync("trestle_restarts_total{cause=\"infrastructure\"}")).ShouldBe(0);
        (await ValueAsync("trestle_jobs_finished_total{phase=\"Succeeded\"}")).ShouldBe(1);
        (await ValueAsync("trestle_jobs_finished_total{phase=\"Failed\"}")).ShouldBe(0);
    }

    [Fact]
    public async Task The_wait_in_the_queue_is_to_the_admission_and_without_the_backoff()
    {
        await new JobLife(AJob.Named().Restarts(1), _metrics.Jobs.Observe).LiveAsync();

        // 8 s at first; then 20 s less the 10 s of backoff.
        (await ValueAsync("trestle_queue_wait_seconds_count{queue=\"default\",priority=\"0\"}")).ShouldBe(2);
        (await ValueAsync("trestle_queue_wait_seconds_sum{queue=\"default\",priority=\"0\"}")).ShouldBe(18);
    }

    [Fact]
    public async Task A_gang_start_is_from_the_admission_until_all_ranks_run()
    {
        await new JobLife(AJob.Named().Nodes(3).Restarts(1), _metrics.Jobs.Observe).LiveAsync();

        // 1 s and 4 s at first; then 2 s.
        (await ValueAsync("trestle_gang_start_seconds_count")).ShouldBe(2);
        (await ValueAsync("trestle_gang_start_seconds_sum")).ShouldBe(7);
    }

    [Theory]
    [InlineData("user")]
    [InlineData("infrastructure")]
    [InlineData("preemption")]
    [InlineData("recoverable")]
    public async Task A_restart_is_counted_under_its_cause_alone(string cause)
    {
        _metrics.Jobs.Observe(new JobTransition(Restarted(null, 0), Restarted(cause, 1)));
        _metrics.Jobs.Observe(new JobTransition(Restarted(cause, 1), Restarted(cause, 3)));

        foreach (var other in (string[])["user", "infrastructure", "preemption", "recoverable"])
        {
            (await ValueAsync($"trestle_restarts_total{{cause=\"{other}\"}}")).ShouldBe(other == cause ? 3 : 0);
        }
    }

    [Fact]
    public async Task A_count_that_begins_anew_is_counted_from_zero()
    {
        _metrics.Jobs.Observe(new JobTransition(Restarted("user", 3), Restarted(null, 0)));
        (await ValueAsync("trestle_restarts_total{cause=\"user\"}")).ShouldBe(0);
        _metrics.Jobs.Observe(new JobTransition(Restarted("user", 3), Restarted("user", 1)));
        (await ValueAsync("trestle_restarts_total{cause=\"user\"}")).ShouldBe(1);
    }

    [Fact]
    public async Task A_report_without_a_change_of_phase_counts_nothing()
    {
        var running = AJob.Named().Admitted(2, "n0").Running(Noon).Holds("Admitted", Noon).Build();
        var before = await _metrics.TextAsync();

        _metrics.Jobs.Observe(new JobTransition(running, AJob.Named().Admitted(2, "n0").Running(Noon).Holds("Admitted", Noon).With(job => job.Status!.Message = "step 100").Build()));

        (await _metrics.TextAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task A_job_deleted_before_its_end_is_told_as_deleted_and_one_after_its_end_is_not_told_again()
    {
        _metrics.Jobs.Observe(new JobTransition(AJob.Named().Phase(TrainingJobPhase.Running).Build(), null));
        _metrics.Jobs.Observe(new JobTransition(AJob.Named().Phase(TrainingJobPhase.Failed).Build(), null));

        (await ValueAsync("trestle_jobs_finished_total{phase=\"Deleted\"}")).ShouldBe(1);
        (await ValueAsync("trestle_jobs_finished_total{phase=\"Failed\"}")).ShouldBe(0);
    }

    [Fact]
    public async Task A_clock_that_went_back_gives_no_negative_wait()
    {
        var queued = AJob.Named().Phase(TrainingJobPhase.Queued).With(job => job.Status!.Queue = new QueueStatus { QueuedAt = JobLife.Noon.AddSeconds(5) });
        _metrics.Jobs.Observe(new JobTransition(
            queued.Build(),
            AJob.Named().Admitted(1, "n0").Holds("Admitted", Noon).With(job => job.Status!.Queue = new QueueStatus { QueuedAt = JobLife.Noon.AddSeconds(5) }).Build()));

        (await ValueAsync("trestle_queue_wait_seconds_sum{queue=\"default\",priority=\"0\"}")).ShouldBe(0);
        (await ValueAsync("trestle_queue_wait_seconds_count{queue=\"default\",priority=\"0\"}")).ShouldBe(1);
    }

    private static TrainingJob Restarted(string? cause, int count) => AJob.Named().Phase(TrainingJobPhase.Restarting).With(job => job.Status!.Restarts = new RestartCounts
    {
        Counted = cause == "user" ? count : null,
        Infrastructure = cause == "infrastructure" ? count : null,
        Preempted = cause == "preemption" ? count : null,
        Recovered = cause == "recoverable" ? count : null,
    }).Build();

    private Task<double?> ValueAsync(string series) => _metrics.ValueAsync(series);
}
