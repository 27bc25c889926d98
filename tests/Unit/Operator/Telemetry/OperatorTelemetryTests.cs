using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Telemetry;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Telemetry;

public sealed class OperatorTelemetryTests
{
    private static readonly OperatorOptions WithMetrics = new() { MetricsListen = "http://127.0.0.1:0" };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_are_served_over_http()
    {
        await using var telemetry = await StartAsync(WithMetrics);
        using var pass = OperatorMeter.TimePass(TimeProvider.System);
        pass.Dispose();
        using var client = new HttpClient { BaseAddress = new Uri(telemetry.MetricsUrl!) };

        using var answer = await client.GetAsync("/metrics", Ct);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/plain; version=0.0.4; charset=utf-8");
        var page = await answer.Content.ReadAsStringAsync(Ct);
        page.ShouldContain("trestle_leader 0\n");
        page.ShouldContain("# TYPE trestle_queue_wait_seconds histogram\n");
        page.ShouldContain("process_working_set_bytes ", Case.Sensitive, "of itself it tells as well");
        page.ShouldNotContain("trestle_admission_pass_duration_seconds_count 0\n");
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/metrics/x")]
    [InlineData("POST", "/metrics")]
    public async Task Nothing_else_is_served(string method, string path)
    {
        await using var telemetry = await StartAsync(WithMetrics);
        using var client = new HttpClient { BaseAddress = new Uri(telemetry.MetricsUrl!) };

        using var answer = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), Ct);

        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Nothing_is_served_unless_asked_for()
    {
        await using var telemetry = await StartAsync(new OperatorOptions());
        telemetry.MetricsUrl.ShouldBeNull();
    }

    [Theory]
    [InlineData("9464")]
    [InlineData("https://127.0.0.1:0")]
    public async Task An_address_that_is_none_is_refused(string listen) =>
        (await Should.ThrowAsync<InvalidOperationException>(() => StartAsync(new OperatorOptions { MetricsListen = listen }))).Message
            .ShouldBe($"MetricsListen must be an address such as http://127.0.0.1:9464; got '{listen}'");

    [Fact]
    public async Task A_port_that_is_taken_is_told()
    {
        await using var first = await StartAsync(WithMetrics);
        var second = await Should.ThrowAsync<InvalidOperationException>(() => StartAsync(new OperatorOptions { MetricsListen = first.MetricsUrl }));
        second.Message.ShouldEndWith("choose a free port");
    }

    [Fact]
    public async Task A_watched_term_fills_the_page_and_its_end_empties_it()
    {
        var api = new JobWatch();
        api.Put(AJob.Named("a").Phase(TrainingJobPhase.Queued).Build());
        await using var telemetry = await StartAsync(WithMetrics);
        using var client = new HttpClient { BaseAddress = new Uri(telemetry.MetricsUrl!) };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        Informer<T> New<T>()
            where T : class, k8s.IKubernetesObject<k8s.Models.V1ObjectMeta> => new(api, Selection.All, TimeProvider.System, NullLogger.Instance);
        var (jobs, pods, nodes) = (New<TrainingJob>(), New<PodView>(), New<NodeView>());

        var term = telemetry.Watch(jobs, pods, nodes);
        var running = Task.WhenAll(jobs.RunAsync(stop.Token), pods.RunAsync(stop.Token), nodes.RunAsync(stop.Token));
        await Task.WhenAll(jobs.Synced, pods.Synced, nodes.Synced);
        (await client.GetStringAsync("/metrics", Ct)).ShouldContain("trestle_jobs{phase=\"Queued\"} 1\n");

        term.Dispose();
        (await client.GetStringAsync("/metrics", Ct)).ShouldNotContain("trestle_jobs{");
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task What_the_runtime_measures_stands_under_the_name_of_the_controller()
    {
        await using var telemetry = await StartAsync(WithMetrics);
        using var client = new HttpClient { BaseAddress = new Uri(telemetry.MetricsUrl!) };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var reconciler = new FailsOnce();
        using var controller = new Controller("measured", reconciler, TimeProvider.System, NullLogger.Instance);
        controller.Enqueue(new ObjectKey("research", "a"));
        var running = controller.RunAsync(1, stop.Token);
        await reconciler.Second.Task.WaitAsync(Ct);

        var page = await client.GetStringAsync("/metrics", Ct);

        page.ShouldContain("trestle_reconcile_failures_total{controller=\"measured\"} 1\n");
        page.ShouldContain("trestle_reconcile_duration_seconds_count{controller=\"measured\"} 1\n");
        await stop.CancelAsync();
        await running;
    }

    private static Task<OperatorTelemetry> StartAsync(OperatorOptions options) =>
        OperatorTelemetry.StartAsync(options, new ConfigurationBuilder().Build(), TimeProvider.System, NullLogger.Instance, Ct);

    private sealed class FailsOnce : IReconciler
    {
        private int _calls;

        public TaskCompletionSource Second { get; } = new();

        public async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct)
        {
            if (++_calls == 1) throw new InvalidOperationException("once");
            Second.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
            return null;
        }
    }
}
