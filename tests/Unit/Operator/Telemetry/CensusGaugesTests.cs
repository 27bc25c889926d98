using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Telemetry;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Tests.Launch;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.Telemetry;

public sealed class CensusGaugesTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(JobLife.Noon));
    private readonly FixedCache<TrainingJob> _jobs = new();
    private readonly FixedCache<PodView> _pods = new();
    private readonly FixedCache<NodeView> _nodes = new();
    private readonly OperatorMetrics _metrics;

    public CensusGaugesTests() => _metrics = new OperatorMetrics(_time);

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task The_page_of_a_small_cluster_is_this()
    {
        HaveSmallCluster();
        Look();

        (await _metrics.TextAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).ShouldBe(
            (await File.ReadAllLinesAsync(SourceTree.Beside("small-cluster.prom"), TestContext.Current.CancellationToken)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Gauges_of_what_is_not_there_any_more_go_away()
    {
        HaveSmallCluster();
        Look();
        (await _metrics.ValueAsync("trestle_queue_jobs{queue=\"research\",priority=\"10\"}")).ShouldBe(2);

        _jobs.All.Clear();
        _nodes.All.Clear();
        _time.Advance(CensusGauges.Freshness);

        var page = await _metrics.TextAsync();
        page.ShouldNotContain("\ntrestle_queue_jobs{");
        page.ShouldNotContain("\ntrestle_allocatable_gpus{");
        (await _metrics.ValueAsync("trestle_jobs{phase=\"Queued\"}")).ShouldBe(0);
    }

    [Fact]
    public async Task Askers_within_two_seconds_share_one_count()
    {
        Look();
        (await JobsQueuedAsync()).ShouldBe(0);
        _jobs.All.Add(AJob.Named().Phase(TrainingJobPhase.Queued).Build());

        (await JobsQueuedAsync()).ShouldBe(0);
        _time.Advance(CensusGauges.Freshness);
        (await JobsQueuedAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task A_process_that_does_not_lead_tells_of_no_cluster()
    {
        HaveSmallCluster();
        (await _metrics.ValueAsync("trestle_leader")).ShouldBe(0);
        Look();
        (await _metrics.ValueAsync("trestle_leader")).ShouldBe(1);
        (await _metrics.TextAsync()).ShouldContain("\ntrestle_jobs{");

        _metrics.Look(null);

        var page = await _metrics.TextAsync();
        page.ShouldNotContain("\ntrestle_jobs{");
        page.ShouldNotContain("_gpus{");
        page.ShouldContain("\ntrestle_leader 0\n");
    }

    [Fact]
    public async Task Nothing_is_counted_from_caches_that_are_not_full()
    {
        HaveSmallCluster();
        var filled = new TaskCompletionSource();
        _metrics.Look(new WatchedCaches(_jobs, _pods, _nodes) { Filled = filled.Task });
        (await _metrics.TextAsync()).ShouldNotContain("\ntrestle_jobs{");

        filled.SetResult();

        (await JobsQueuedAsync()).ShouldBe(4);
    }

    [Fact]
    public async Task A_job_with_accelerators_that_cannot_be_read_waits_like_others()
    {
        _jobs.All.Add(AJob.Named().Phase(TrainingJobPhase.Queued).With(job => job.Spec.Resources = new Resources { Accelerators = ":::" }).Build());
        Look();

        (await _metrics.ValueAsync("trestle_queue_jobs{queue=\"default\",priority=\"0\"}")).ShouldBe(1);
    }

    private Task<double?> JobsQueuedAsync() => _metrics.ValueAsync("trestle_jobs{phase=\"Queued\"}");

    private void Look() => _metrics.Look(new WatchedCaches(_jobs, _pods, _nodes));

    // Two nodes of 8 H100 that take pods, one that is cordoned, one A100 node that is not ready, one with GPUs of no name, one without any.
    // One job has its one pod, one was admitted and has none yet, a pod of somebody else holds one GPU; three wait, one of them is in its backoff.
    private void HaveSmallCluster()
    {
        _nodes.All.AddRange([Node("n0", "H100"), Node("n1", "H100"), Node("n2", "H100", cordoned: true), Node("n3", "A100", ready: false), Node("n4", null, gpus: 2), Node("n5", null, gpus: null)]);
        var running = Job("running", "H100:4", null).Admitted(1, "n0").Running(new DateTimeOffset(JobLife.Noon)).Build();
        _jobs.All.AddRange(
        [
            running,
            Job("admitted", "H100:8", null).Admitted(1, "n1").Build(),
            Queued("first", "H100:8", 600).Nodes(4).Build(),
            Queued("second", "A100:8", 60).Build(),
            Queued("plain", null, 5).With(job => job.Spec.Scheduling = null).Build(),
            Queued("cancelled", "H100:8", 7000).Cancelled().Build(),
            Queued("restarting", "H100:2", 9000).Phase(TrainingJobPhase.Restarting).With(job => job.Status!.Retry = new RetryStatus { NotBefore = JobLife.Noon.AddSeconds(-30) }).With(job => job.Spec.Scheduling!.Queue = "a\"b\\c").Build(),
            Queued("backoff", "H100:2", 9000).Phase(TrainingJobPhase.Restarting).With(job => job.Status!.Retry = new RetryStatus { NotBefore = JobLife.Noon.AddSeconds(30) }).Build(),
            AJob.Named("done").Phase(TrainingJobPhase.Succeeded).Build(),
            AJob.Named("new").Build(),
        ]);
        _pods.All.AddRange([Gpus(APod.Of(running).Running("n0"), 4), Gpus(APod.Of(running, attempt: 0).Succeeded(), 4), Foreign("n0", 1)]);
    }

    private static AJob Job(string name, string? accelerators, string? queue) => AJob.Named(name).With(job => job.Spec.Resources = new Resources { Accelerators = accelerators }).With(job =>
        job.Spec.Scheduling = new Trestle.Api.V1Alpha1.Scheduling { Queue = queue, Priority = 10 });

    private static AJob Queued(string name, string? accelerators, int seconds) =>
        Job(name, accelerators, "research").Phase(TrainingJobPhase.Queued).With(job => job.Status!.Queue = new QueueStatus { QueuedAt = JobLife.Noon.AddSeconds(-seconds) });

    private static NodeView Node(string name, string? accelerator, bool ready = true, bool cordoned = false, int? gpus = 8) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, Labels = accelerator is null ? null : new Dictionary<string, string> { [Labels.Accelerator] = accelerator } },
        Spec = new NodeViewSpec { Unschedulable = cordoned ? true : null },
        Status = new NodeViewStatus
        {
            Allocatable = gpus is null ? null : new Dictionary<string, string> { [Names.GpuResource] = $"{gpus}" },
            Conditions = [new NodeConditionView { Type = "Ready", Status = ready ? "True" : "Unknown" }],
        },
    };

    private static PodView Foreign(string node, int gpus) => Gpus(APod.Of(AJob.Named("foreign").Build()).Running(node).With(pod => pod.Metadata.Labels.Clear()), gpus);

    private static PodView Gpus(APod pod, int gpus) =>
        pod.With(view => view.Spec.Containers = [new ContainerView { Resources = new ContainerResourcesView { Requests = new Dictionary<string, string> { [Names.GpuResource] = $"{gpus}" } } }]).Build();
}
