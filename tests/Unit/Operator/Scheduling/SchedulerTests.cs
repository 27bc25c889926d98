using System.Net;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Tests.Fakes;
using Trestle.Operator.Views;
using Trestle.Runtime;
using static Trestle.Api.V1Alpha1.TrainingJobPhase;

namespace Trestle.Operator.Tests.Scheduling;

/// <summary>One node of 8 GPUs, jobs of 8 GPUs each.</summary>
public sealed class SchedulerTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider _time = new(Noon);
    private readonly FakeKubeApi _api;
    private readonly FakeCache<TrainingJob> _jobs;
    private readonly FakeCache<JobGroup> _groups;
    private readonly FakeCache<PodView> _pods;
    private readonly FakeCache<NodeView> _nodes;
    private readonly CollectedEvents _events = new();
    private readonly Operator.Scheduling.Scheduler _scheduler;

    public SchedulerTests()
    {
        _api = new FakeKubeApi(_time);
        (_jobs, _groups, _pods, _nodes) = (new(_api), new(_api), new(_api), new(_api));
        _scheduler = new Operator.Scheduling.Scheduler(_api, new SchedulerCaches(_jobs, _groups, _pods, _nodes), EightGpus, _events, _time, NullLogger.Instance);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _scheduler.Dispose();

    [Theory]
    [InlineData(0, 50)]
    [InlineData(12, 50)]
    [InlineData(100, 400)]
    public void The_longer_a_decision_takes_the_more_changes_are_collected_for_the_next(int decided, int rest) =>
        Operator.Scheduling.Scheduler.Rest(TimeSpan.FromMilliseconds(decided)).ShouldBe(TimeSpan.FromMilliseconds(rest));

    [Fact]
    public async Task A_job_that_fits_is_admitted_with_everything_in_one_write()
    {
        await HaveAsync(AJob.Named("a").Phase(Queued).With(job => job.Status!.Queue = new QueueStatus { Position = 1, Reason = "r", QueuedAt = Noon.UtcDateTime }).Build());
        var requests = _api.Requests;

        (await _scheduler.PassAsync(Ct)).ShouldBeNull();

        _api.Requests.ShouldBe(requests + 1);
        var status = Job("a").Status!;
        (status.Phase, status.Reason, status.Message, status.Attempt).ShouldBe((Admitted, "Admitted", "1 node reserved", 1));
        status.Admission!.Attempt.ShouldBe(1);
        status.Admission.Ranks!.Select(rank => (rank.Rank, rank.Node)).ShouldBe([(0, "n1")]);
        status.Timeline!.AdmittedAt.ShouldBe(Noon.UtcDateTime);
        status.Conditions!.Select(condition => (condition.Type, condition.Status)).ShouldBe([("Admitted", "True")]);
        (status.Queue!.Position, status.Queue.Reason, status.Queue.QueuedAt).ShouldBe((null, null, Noon.UtcDateTime));
        _events.All.ShouldBe([("a", false, "Admitted", "attempt 1: 1 node reserved")]);
    }

    [Fact]
    public async Task A_job_that_waits_is_told_its_place_and_why()
    {
        await HaveAsync(AJob.Named("a").Phase(Queued).Build(), AJob.Named("b").Phase(Queued).Build());

        await _scheduler.PassAsync(Ct);

        var status = Job("b").Status!;
        (status.Phase, status.Reason, status.Message).ShouldBe((Queued, "Queued", "waiting for 8 GPUs, 0 free"));
        (status.Queue!.Position, status.Queue.Reason).ShouldBe((1, "waiting for 8 GPUs, 0 free"));
    }

    [Fact]
    public async Task What_was_just_given_away_is_not_given_again_while_the_cache_is_behind()
    {
        await HaveAsync(AJob.Named("a").Phase(Queued).Build(), AJob.Named("b").Phase(Restarting).With(job => job.Spec.Scheduling = new Api.V1Alpha1.Scheduling { Priority = 1 }).With(job => job.Status!.Retry = new RetryStatus { NotBefore = Noon.AddSeconds(1).UtcDateTime }).Build());
        (await _scheduler.PassAsync(Ct)).ShouldBe(TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));

        await _scheduler.PassAsync(Ct);

        Job("b").Status!.Phase.ShouldBe(Restarting);
        Job("a").Status!.Attempt.ShouldBe(1);
    }

    [Fact]
    public async Task A_job_that_changed_meanwhile_is_left_to_the_next_pass()
    {
        await HaveAsync(AJob.Named("a").Phase(Queued).Build());
        await _api.ReplaceStatusAsync(Job("a"), Ct);

        await _scheduler.PassAsync(Ct);
        Job("a").Status!.Phase.ShouldBe(Queued);

        Refresh();
        await _scheduler.PassAsync(Ct);
        Job("a").Status!.Phase.ShouldBe(Admitted);
    }

    [Fact]
    public async Task The_place_in_the_queue_is_told_at_intervals()
    {
        await HaveAsync(AJob.Named("a").Phase(Queued).Build(), AJob.Named("b").Phase(Queued).Build(), AJob.Named("c").Phase(Queued).Build());
        await _scheduler.PassAsync(Ct);
        await _api.ReplaceStatusAsync(AJob.Named("b").With(job => job.Metadata.ResourceVersion = Job("b").Metadata.ResourceVersion).Phase(Failed).Build(), Ct);
        Refresh();

        (await _scheduler.PassAsync(Ct)).ShouldBe(TimeSpan.FromSeconds(2));
        Job("c").Status!.Queue!.Position.ShouldBe(2);

        _time.Advance(TimeSpan.FromSeconds(2));
        (await _scheduler.PassAsync(Ct)).ShouldBe(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(2), "nothing but the longest wait is left to come");
        Job("c").Status!.Queue!.Position.ShouldBe(1);
    }

    [Fact]
    public async Task Who_could_not_be_told_because_it_changed_is_told_at_the_next_interval()
    {
        await HaveAsync(AJob.Named("a").Phase(Queued).Build(), AJob.Named("b").Phase(Queued).Build());
        await _api.ReplaceStatusAsync(Job("b"), Ct);
        (await _scheduler.PassAsync(Ct)).ShouldBe(TimeSpan.FromSeconds(2));
        Refresh();
        _time.Advance(TimeSpan.FromSeconds(2));

        await _scheduler.PassAsync(Ct);

        Job("b").Status!.Queue!.Position.ShouldBe(1);
    }

    [Fact]
    public async Task The_pod_of_a_job_is_made_once_for_every_spec()
    {
        var made = 0;
        using var scheduler = new Operator.Scheduling.Scheduler(_api, new SchedulerCaches(_jobs, _groups, _pods, _nodes), job => { made++; return EightGpus(job); }, _events, _time, NullLogger.Instance);
        await HaveAsync(AJob.Named("a").Phase(Queued).Build(), AJob.Named("b").Phase(Queued).Build());
        await scheduler.PassAsync(Ct);
        Refresh();
        await scheduler.PassAsync(Ct);
        made.ShouldBe(2);

        await _api.PatchAsync<TrainingJob>(Job("b").Key(), new Patch(PatchKind.Merge, new System.Text.Json.Nodes.JsonObject { ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["generation"] = 2 } }), Ct);
        Refresh();
        await scheduler.PassAsync(Ct);
        made.ShouldBe(3);
    }

    [Fact]
    public async Task A_pass_that_changes_nothing_writes_nothing()
    {
        await HaveAsync(AJob.Named("a").Phase(Queued).Build(), AJob.Named("b").Phase(Queued).Build());
        await _scheduler.PassAsync(Ct);
        Refresh();
        _time.Advance(TimeSpan.FromMinutes(1));
        var requests = _api.Requests;

        await _scheduler.PassAsync(Ct);

        _api.Requests.ShouldBe(requests);
    }

    [Fact]
    public async Task A_restart_is_admitted_when_its_time_has_come_without_being_told()
    {
        await HaveAsync(AJob.Named("a").Phase(Restarting).With(job => job.Status!.Attempt = 3).With(job => job.Status!.Retry = new RetryStatus { NotBefore = Noon.AddSeconds(10).UtcDateTime }).Build());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var admitted = new TaskCompletionSource();
        _api.Intercept = (verb, _) => { if (verb == "status") admitted.TrySetResult(); };
        var running = _scheduler.RunAsync(stop.Token);

        while (!admitted.Task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await stop.CancelAsync();
        await running;
        _time.GetUtcNow().ShouldBeGreaterThanOrEqualTo(Noon.AddSeconds(10));
        Job("a").Status!.Attempt.ShouldBe(4);
    }

    [Fact]
    public async Task An_unreachable_server_is_tried_again()
    {
        await HaveAsync(AJob.Named("a").Phase(Queued).Build());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var (tries, second) = (0, new TaskCompletionSource());
        _api.Intercept = (_, _) =>
        {
            if (++tries == 1) throw new KubeApiException(HttpStatusCode.ServiceUnavailable, "", "not now");
            second.TrySetResult();
        };
        var running = _scheduler.RunAsync(stop.Token);

        while (!second.Task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await stop.CancelAsync();
        await running;
        Job("a").Status!.Phase.ShouldBe(Admitted);
    }

    private static V1Pod EightGpus(TrainingJob job) => new()
    {
        Spec = new V1PodSpec { Containers = [new V1Container { Resources = new V1ResourceRequirements { Limits = new Dictionary<string, ResourceQuantity> { [Names.GpuResource] = new("8") } } }] },
    };

    private async Task HaveAsync(params TrainingJob[] jobs)
    {
        await _api.CreateAsync(
            new NodeView
            {
                Metadata = new V1ObjectMeta { Name = "n1" },
                Status = new NodeViewStatus { Allocatable = new Dictionary<string, string> { [Names.GpuResource] = "8" }, Conditions = [new NodeConditionView { Type = "Ready", Status = "True" }] },
            },
            Ct);
        foreach (var job in jobs) await _api.CreateAsync(job, Ct);
        Refresh();
    }

    private void Refresh()
    {
        _jobs.Refresh();
        _groups.Refresh();
        _pods.Refresh();
        _nodes.Refresh();
    }

    private TrainingJob Job(string name) => _api.Find<TrainingJob>(new ObjectKey("research", name))!;
}
