using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Trestle.Runtime.Tests.Controllers;

public sealed class WorkQueueTests
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private static readonly Gen<(int What, int Key, int Milliseconds)[]> Operations =
        Gen.Select(Gen.Int[0, 6], Gen.Int[0, 3], Gen.Int[0, 400_000]).Array[0, 150];

    [Fact]
    public Task Any_order_of_calls_hands_out_what_a_simple_model_does() => Operations.SampleAsync(async operations =>
    {
        var time = new FakeTimeProvider();
        using var queue = new WorkQueue<int>(time, First, Longest);
        var model = new Model();
        foreach (var (what, key, milliseconds) in operations)
        {
            await DoAsync(what, key, TimeSpan.FromMilliseconds(milliseconds), time, queue, model);
            queue.Count.ShouldBe(model.Waiting.Count);
        }

        // Nothing is lost: everything that is due or delayed is handed out in the end.
        foreach (var key in model.Working.ToArray()) Finish(key, queue, model);
        time.Advance(TimeSpan.FromDays(2));
        model.Pass(time.GetUtcNow());
        while (model.Free.Count > 0) await TakeAsync(queue, model);
        queue.Count.ShouldBe(0);
    });

    [Fact]
    public void Waits_double_up_to_the_longest_and_go_on_for_ever()
    {
        var time = new FakeTimeProvider();
        using var queue = new WorkQueue<string>(time, First, Longest);
        var waits = Enumerable.Range(0, 200).Select(_ => queue.AddAfterFailure("a")).ToList();
        waits[0].ShouldBe(First);
        waits[1].ShouldBe(First * 2);
        waits.ShouldBeInOrder();
        waits.Skip(12).ShouldAllBe(wait => wait == Longest);

        queue.Forget("a");
        queue.AddAfterFailure("a").ShouldBe(First);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(3650)]
    public void A_wait_longer_than_timers_can_take_is_kept(int days)
    {
        var time = new FakeTimeProvider();
        using var queue = new WorkQueue<string>(time, First, Longest);
        queue.AddAfter("a", TimeSpan.FromDays(days));
        time.Advance(TimeSpan.FromDays(days - 1));
        queue.Count.ShouldBe(0);
        time.Advance(TimeSpan.FromDays(1.1));
        queue.Count.ShouldBe(1);
    }

    [Fact]
    public void A_wall_clock_that_is_set_back_does_not_make_a_key_wait()
    {
        var steady = new FakeTimeProvider();
        var time = new AdjustableClock(steady);
        using var queue = new WorkQueue<string>(time, First, Longest);
        queue.AddAfter("a", TimeSpan.FromSeconds(5));
        time.WallOffset = -TimeSpan.FromHours(1);
        steady.Advance(TimeSpan.FromSeconds(5));
        queue.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_cancelled_take_loses_no_key()
    {
        using var queue = new WorkQueue<string>(new FakeTimeProvider(), First, Longest);
        using var stop = new CancellationTokenSource();
        var taking = queue.TakeAsync(stop.Token).AsTask();
        await stop.CancelAsync();
        queue.Add("a");
        await Should.ThrowAsync<OperationCanceledException>(taking);
        (await queue.TakeAsync(TestContext.Current.CancellationToken)).ShouldBe("a");
    }

    [Fact]
    public async Task Many_workers_never_share_a_key_and_see_every_last_change()
    {
        const int Keys = 5, Changes = 2000;
        using var queue = new WorkQueue<int>(TimeProvider.System, First, Longest);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var (wanted, seen, busy, shared) = (new int[Keys], new int[Keys], new int[Keys], 0);
        var workers = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (true)
            {
                var key = await queue.TakeAsync(stop.Token);
                if (Interlocked.Increment(ref busy[key]) > 1) Interlocked.Increment(ref shared);
                Volatile.Write(ref seen[key], Volatile.Read(ref wanted[key]));
                await Task.Yield();
                Interlocked.Decrement(ref busy[key]);
                queue.Done(key);
            }
        })).ToList();
        Parallel.For(0, Changes, change =>
        {
            Interlocked.Increment(ref wanted[change % Keys]);
            queue.Add(change % Keys);
        });

        await new FakeTimeProvider().SettledAsync(() => seen.SequenceEqual(wanted));
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(Task.WhenAll(workers));
        shared.ShouldBe(0);
    }

    private static async Task DoAsync(int what, int key, TimeSpan span, FakeTimeProvider time, WorkQueue<int> queue, Model model)
    {
        var now = time.GetUtcNow();
        switch (what)
        {
            case 0:
                queue.Add(key);
                model.Waiting.Add(key);
                break;
            case 1:
                queue.AddAfter(key, span);
                model.Delay(key, now + span, now);
                break;
            case 2:
                var wait = queue.AddAfterFailure(key);
                wait.ShouldBe(model.Backoff(key));
                model.Delay(key, now + wait, now);
                break;
            case 3:
                queue.Forget(key);
                model.Failures[key] = 0;
                break;
            case 4:
                time.Advance(span);
                model.Pass(time.GetUtcNow());
                break;
            case 5:
                await TakeAsync(queue, model);
                break;
            default:
                if (model.Working.Contains(key)) Finish(key, queue, model);
                break;
        }
    }

    private static async Task TakeAsync(WorkQueue<int> queue, Model model)
    {
        using var stop = new CancellationTokenSource();
        var taking = queue.TakeAsync(stop.Token);
        taking.IsCompleted.ShouldBe(model.Free.Count > 0);
        if (!taking.IsCompleted)
        {
            await stop.CancelAsync();
            return;
        }

        var key = await taking;
        model.Free.ShouldContain(key);
        model.Waiting.Remove(key);
        model.Working.Add(key);
    }

    private static void Finish(int key, WorkQueue<int> queue, Model model)
    {
        queue.Done(key);
        model.Working.Remove(key);
    }

    private sealed class Model
    {
        private readonly Dictionary<int, DateTimeOffset> _due = [];

        public HashSet<int> Waiting { get; } = [];

        public HashSet<int> Working { get; } = [];

        public Dictionary<int, int> Failures { get; } = [];

        public IReadOnlyCollection<int> Free => Waiting.Except(Working).ToList();

        public void Delay(int key, DateTimeOffset due, DateTimeOffset now)
        {
            if (due <= now) Waiting.Add(key);
            else if (!_due.TryGetValue(key, out var known) || due < known) _due[key] = due;
        }

        public TimeSpan Backoff(int key)
        {
            var failures = Failures[key] = Failures.GetValueOrDefault(key) + 1;
            var wait = First;
            for (var again = 1; again < failures && wait < Longest; again++) wait *= 2;
            return wait < Longest ? wait : Longest;
        }

        public void Pass(DateTimeOffset now)
        {
            foreach (var (key, due) in _due.Where(one => one.Value <= now).ToList())
            {
                _due.Remove(key);
                Waiting.Add(key);
            }
        }
    }
}
