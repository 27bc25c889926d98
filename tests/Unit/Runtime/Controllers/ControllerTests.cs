using System.Collections.Concurrent;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Trestle.Runtime.Tests.Controllers;

public sealed class ControllerTests
{
    private static readonly ObjectKey A = new("default", "a");
    private static readonly ObjectKey B = new("default", "b");

    [Fact]
    public async Task An_object_that_fails_is_tried_for_ever_at_least_every_five_minutes()
    {
        var tries = new ConcurrentQueue<DateTimeOffset>();
        var time = new FakeTimeProvider();
        await using var run = new Run(time, (_, _) =>
        {
            tries.Enqueue(time.GetUtcNow());
            throw new InvalidOperationException("broken");
        });
        run.Controller.Enqueue(A);
        await time.UntilAsync(() => tries.Count >= 30, 5);
        var gaps = tries.Zip(tries.Skip(1), (one, next) => next - one).ToList();
        gaps.ShouldAllBe(gap => gap <= TimeSpan.FromSeconds(310));
        gaps[^1].ShouldBeGreaterThan(TimeSpan.FromMinutes(4));
        run.Log.Lines.ShouldContain(line => line.Contains("default/a") && line.Contains("broken"));
    }

    [Fact]
    public async Task A_conflict_is_tried_again_soon_and_a_success_forgets_it()
    {
        var tries = 0;
        var time = new FakeTimeProvider();
        await using var run = new Run(time, (_, _) => Interlocked.Increment(ref tries) % 2 == 1 ? throw FakeKubeApi.Conflict() : Task.FromResult<TimeSpan?>(null));
        for (var round = 1; round <= 8; round++)
        {
            run.Controller.Enqueue(A);
            (await time.UntilAsync(() => tries == round * 2, 0.05)).ShouldBeLessThan(TimeSpan.FromSeconds(5));
        }
    }

    [Fact]
    public async Task A_hot_object_leaves_the_other_workers_free()
    {
        var (busy, most, others) = (0, 0, new ConcurrentQueue<ObjectKey>());
        Run? run = null;
        run = new Run(new FakeTimeProvider(), async (key, _) =>
        {
            if (key != A)
            {
                others.Enqueue(key);
                return null;
            }

            most = Math.Max(most, Interlocked.Increment(ref busy));
            run!.Controller.Enqueue(A);
            run.Controller.Enqueue(A);
            await Task.Yield();
            Interlocked.Decrement(ref busy);
            return TimeSpan.Zero;
        });
        await using (run)
        {
            run.Controller.Enqueue(A);
            for (var other = 0; other < 100; other++) run.Controller.Enqueue(new ObjectKey("default", $"other{other}"));
            await run.Time.SettledAsync(() => others.Count == 100);
            most.ShouldBe(1);
        }
    }

    [Fact]
    public async Task A_slow_object_does_not_hold_up_the_others()
    {
        var release = new TaskCompletionSource();
        var done = new ConcurrentQueue<ObjectKey>();
        await using var run = new Run(new FakeTimeProvider(), async (key, _) =>
        {
            if (key == A) await release.Task;
            done.Enqueue(key);
            return null;
        });
        run.Controller.Enqueue(A);
        run.Controller.Enqueue(A);
        run.Controller.Enqueue(B);
        await run.Time.SettledAsync(() => done.Contains(B));
        done.ShouldNotContain(A);
        release.SetResult();
        await run.Time.SettledAsync(() => done.Contains(A));
    }

    [Fact]
    public async Task What_a_reconciler_asks_for_comes_after_its_wait()
    {
        var tries = 0;
        var time = new FakeTimeProvider();
        await using var run = new Run(time, (_, _) => Task.FromResult<TimeSpan?>(Interlocked.Increment(ref tries) == 1 ? TimeSpan.FromSeconds(30) : null));
        run.Controller.Enqueue(A);
        await time.SettledAsync(() => tries == 1);
        var passed = await time.UntilAsync(() => tries == 2, 1);
        passed.ShouldBeInRange(TimeSpan.FromSeconds(29), TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Objects_their_children_and_the_old_owner_of_a_child_are_reconciled()
    {
        var seen = new ConcurrentDictionary<ObjectKey, int>();
        var (time, server) = (new FakeTimeProvider(), new FakeKubeApi());
        using var stop = new CancellationTokenSource();
        var jobs = new Informer<V1Job>(server, Selection.All, time, NullLogger.Instance);
        var pods = new Informer<V1Pod>(server, Selection.All, time, NullLogger.Instance);
        await using var run = new Run(
            time,
            (key, _) =>
            {
                seen.AddOrUpdate(key, 1, (_, count) => count + 1);
                return Task.FromResult<TimeSpan?>(null);
            },
            controller => controller.For(jobs).Owns(pods, "Job"));
        server.Put(new V1Job { Metadata = new V1ObjectMeta { Name = "a", NamespaceProperty = "default" } });
        await time.PassAsync(1);
        seen.ShouldBeEmpty(); // not before the caches are filled

        Task[] running = [jobs.RunAsync(stop.Token), pods.RunAsync(stop.Token)];
        await time.UntilAsync(() => seen.GetValueOrDefault(A) == 1);
        server.Put(APodOf("b"));
        await time.UntilAsync(() => seen.GetValueOrDefault(B) == 1);
        server.Put(APodOf("a"));
        await time.UntilAsync(() => seen.GetValueOrDefault(A) == 2 && seen.GetValueOrDefault(B) == 2);
        server.Remove<V1Pod>(new ObjectKey("default", "child"));
        await time.UntilAsync(() => seen.GetValueOrDefault(A) == 3);
        await stop.CancelAsync();
        await Task.WhenAll(running);
    }

    [Fact]
    public async Task Work_that_was_cut_off_is_done_when_the_controller_runs_again()
    {
        var (begun, done) = (0, 0);
        var time = new FakeTimeProvider();
        using var controller = new Controller("test", new Reconciler(async (_, ct) =>
        {
            if (Interlocked.Increment(ref begun) == 1) await Task.Delay(Timeout.InfiniteTimeSpan, time, ct);
            Interlocked.Increment(ref done);
            return null;
        }), time, NullLogger.Instance);
        using var first = new CancellationTokenSource();
        var running = controller.RunAsync(2, first.Token);
        controller.Enqueue(A);
        await time.SettledAsync(() => begun == 1);
        await first.CancelAsync();
        await running;
        done.ShouldBe(0);

        using var second = new CancellationTokenSource();
        running = controller.RunAsync(2, second.Token);
        await time.SettledAsync(() => done == 1);
        await second.CancelAsync();
        await running;
    }

    private static V1Pod APodOf(string owner) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = "child",
            NamespaceProperty = "default",
            OwnerReferences = [new V1OwnerReference { ApiVersion = "batch/v1", Kind = "Job", Name = owner, Uid = owner, Controller = true }],
        },
    };

    private sealed class Reconciler(Func<ObjectKey, CancellationToken, Task<TimeSpan?>> reconcile) : IReconciler
    {
        public Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct) => reconcile(key, ct);
    }

    private sealed class Run : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Run(FakeTimeProvider time, Func<ObjectKey, CancellationToken, Task<TimeSpan?>> reconcile, Action<Controller>? prepare = null)
        {
            Time = time;
            Controller = new Controller("test", new Reconciler(reconcile), time, Log);
            prepare?.Invoke(Controller);
            _running = Controller.RunAsync(4, _stop.Token);
        }

        public FakeTimeProvider Time { get; }

        public CollectedLog Log { get; } = new();

        public Controller Controller { get; }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            Controller.Dispose();
            _stop.Dispose();
        }
    }
}
