using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace Trestle.Runtime.Tests.Controllers;

public sealed class EventRecorderTests
{
    private static readonly V1Pod Pod = new() { Metadata = new V1ObjectMeta { Name = "job-0-a0", NamespaceProperty = "team", Uid = "u1" } };

    [Fact]
    public async Task An_event_tells_what_happened_to_which_object()
    {
        await using var run = new Run();
        run.Recorder.Record(Pod, warning: true, "BackOff", "the image does not exist");
        var told = await run.OneAsync();
        told.Metadata.NamespaceProperty.ShouldBe("team");
        told.Metadata.Name.ShouldStartWith("job-0-a0.");
        (told.InvolvedObject.ApiVersion, told.InvolvedObject.Kind, told.InvolvedObject.Name, told.InvolvedObject.NamespaceProperty, told.InvolvedObject.Uid)
            .ShouldBe(("v1", "Pod", "job-0-a0", "team", "u1"));
        (told.Type, told.Reason, told.Message, told.Count, told.Source.Component).ShouldBe(("Warning", "BackOff", "the image does not exist", 1, "trestle-operator"));
        told.FirstTimestamp.ShouldBe(run.Time.GetUtcNow().UtcDateTime);
    }

    [Fact]
    public async Task The_same_event_is_counted_and_another_is_written_anew()
    {
        await using var run = new Run();
        for (var count = 1; count <= 3; count++)
        {
            run.Recorder.Record(Pod, warning: false, "Queued", "waits for GPUs");
            await run.Time.SettledAsync(() => run.Told.SingleOrDefault()?.Count == count);
            run.Time.Advance(TimeSpan.FromSeconds(10));
        }

        var told = run.Told.Single();
        (told.LastTimestamp - told.FirstTimestamp).ShouldBe(TimeSpan.FromSeconds(20));
        run.Recorder.Record(Pod, warning: false, "Queued", "waits for a node");
        await run.Time.SettledAsync(() => run.Told.Count == 2);
    }

    [Fact]
    public async Task A_burst_of_the_same_event_is_one_write()
    {
        var open = new TaskCompletionSource();
        await using var run = new Run();
        var calls = 0;
        run.Server.Before = (_, _) =>
        {
            Interlocked.Increment(ref calls);
            return open.Task;
        };
        run.Recorder.Record(Pod, warning: false, "First", "holds the line");
        await run.Time.SettledAsync(() => calls == 1);
        for (var count = 0; count < 500; count++) run.Recorder.Record(Pod, warning: false, "Queued", "waits for GPUs");
        open.SetResult();
        await run.Time.SettledAsync(() => run.Told.Any(told => told.Reason == "Queued" && told.Count == 500));
        calls.ShouldBe(2);
    }

    [Fact]
    public async Task An_event_that_the_server_has_forgotten_begins_anew()
    {
        await using var run = new Run();
        run.Recorder.Record(Pod, warning: false, "Queued", "waits for GPUs");
        run.Server.Remove<Corev1Event>((await run.OneAsync()).Key());
        run.Recorder.Record(Pod, warning: false, "Queued", "waits for GPUs");
        (await run.OneAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_refuses_does_not_end_the_recorder()
    {
        await using var run = new Run();
        run.Server.Before = (_, _) => throw new HttpRequestException("no route");
        run.Recorder.Record(Pod, warning: false, "Lost", "nobody hears it");
        await run.Time.SettledAsync(() => run.Log.Lines.Any(line => line.Contains("Lost") && line.Contains("no route")));
        run.Server.Before = (_, _) => Task.CompletedTask;
        run.Recorder.Record(Pod, warning: false, "Heard", "again");
        (await run.OneAsync()).Reason.ShouldBe("Heard");
    }

    [Fact]
    public async Task A_slow_server_never_blocks_and_the_oldest_are_dropped_with_their_number()
    {
        var open = new TaskCompletionSource();
        await using var run = new Run();
        var held = false;
        run.Server.Before = (_, _) =>
        {
            held = true;
            return open.Task;
        };
        run.Recorder.Record(Pod, warning: false, "First", "holds the line");
        await run.Time.SettledAsync(() => held);
        for (var count = 0; count < EventRecorder.Capacity + 7; count++) run.Recorder.Record(Pod, warning: false, "Number", $"{count}");
        open.SetResult();
        await run.Time.SettledAsync(() => run.Told.Count == EventRecorder.Capacity + 1);
        run.Told.ShouldNotContain(told => told.Message == "6");
        run.Told.ShouldContain(told => told.Message == "7");
        run.Log.Lines.ShouldContain(line => line.StartsWith("7 events were dropped"));
    }

    [Fact]
    public async Task What_waits_at_the_end_is_still_written()
    {
        var run = new Run();
        for (var count = 0; count < 50; count++) run.Recorder.Record(Pod, warning: false, "Number", $"{count}");
        await run.DisposeAsync();
        run.Told.Count.ShouldBe(50);
    }

    [Fact]
    public async Task A_server_that_hangs_holds_up_the_end_for_two_seconds()
    {
        var run = new Run();
        var held = false;
        run.Server.Before = (_, ct) =>
        {
            held = true;
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        };
        run.Recorder.Record(Pod, warning: false, "First", "holds the line");
        await run.Time.SettledAsync(() => held);
        var ending = run.DisposeAsync().AsTask();
        (await run.Time.UntilAsync(() => ending.IsCompleted, 0.1)).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(2));
        await ending;
    }

    [Fact]
    public async Task Events_about_objects_without_a_namespace_go_to_default()
    {
        await using var run = new Run();
        run.Recorder.Record(new V1Node { Metadata = new V1ObjectMeta { Name = "n1" } }, warning: false, "Full", "no GPU is free");
        var told = await run.OneAsync();
        told.Metadata.NamespaceProperty.ShouldBe("default");
        told.InvolvedObject.NamespaceProperty.ShouldBeNull();
    }

    [Fact]
    public async Task Long_names_and_messages_are_cut_to_what_a_server_takes()
    {
        await using var run = new Run();
        var name = string.Join('.', Enumerable.Repeat("abcdefghi-abcdefghij", 12));
        run.Recorder.Record(new V1Node { Metadata = new V1ObjectMeta { Name = name } }, warning: false, "Full", new string('x', 5000));
        var told = await run.OneAsync();
        told.Message.Length.ShouldBe(EventRecorder.LongestMessage);
        told.Metadata.Name.Length.ShouldBeLessThanOrEqualTo(253);
        told.Metadata.Name.ShouldMatch("^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$");
        told.InvolvedObject.Name.ShouldBe(name);
    }

    private sealed class Run : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Run()
        {
            Recorder = new EventRecorder(Server, "trestle-operator", Time, Log);
            _running = Recorder.RunAsync(_stop.Token);
        }

        public FakeTimeProvider Time { get; } = new();

        public FakeKubeApi Server { get; } = new();

        public CollectedLog Log { get; } = new();

        public EventRecorder Recorder { get; }

        public IReadOnlyList<Corev1Event> Told => Server.All<Corev1Event>();

        public async Task<Corev1Event> OneAsync()
        {
            await Time.SettledAsync(() => Told.Count == 1);
            return Told.Single();
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _stop.Dispose();
        }
    }
}
