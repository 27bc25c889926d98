using System.Collections.Concurrent;
using System.Globalization;
using CsCheck;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace Trestle.Runtime.Tests.Caching;

public sealed class InformerTests
{
    private static readonly Gen<(int What, int Name, int Value)[]> Operations =
        Gen.Select(Gen.Int[0, 7], Gen.Int[0, 4], Gen.Int[0, 2]).Array[1, 60];

    [Fact]
    public async Task A_cache_ends_up_as_the_server_whatever_happens_to_its_watches() => await Operations.SampleAsync(
        async operations =>
        {
            await using var run = new Run();
            foreach (var (what, name, value) in operations)
            {
                await run.DoAsync(what, $"p{name}", $"n{value}");
            }

            await run.Time.UntilAsync(run.IsAsServer);
            run.Trouble.ShouldBeEmpty();
            foreach (var value in new[] { "n0", "n1", "n2" })
            {
                var expected = run.Server.All<V1Pod>().Where(pod => pod.Spec.NodeName == value).Select(pod => pod.Key());
                run.Informer.Cache.Where("node", value).Select(pod => pod.Key()).ShouldBe(expected, ignoreOrder: true);
            }
        },
        iter: 60,
        threads: 2);

    [Fact]
    public async Task A_cache_fills_also_when_nobody_listens()
    {
        await using var run = new Run();
        run.Server.Put(APod("a", "n1"));
        using var stop = new CancellationTokenSource();
        var quiet = new Informer<V1Pod>(run.Server, Selection.All, run.Time, run.Log);
        var running = quiet.RunAsync(stop.Token);
        await quiet.Synced;
        quiet.Cache.Items.ShouldHaveSingleItem();
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_lost_watch_goes_on_where_it_stood_without_a_new_list()
    {
        await using var run = new Run();
        run.Server.Put(APod("a", "n1"));
        await run.Time.UntilAsync(run.IsAsServer);
        run.Server.Cut(new IOException("connection reset"));
        run.Server.Put(APod("b", "n1"));
        run.Server.Remove<V1Pod>(new ObjectKey("default", "a"));
        await run.Time.UntilAsync(run.IsAsServer);
        run.Server.Lists.ShouldBe(1);
        run.Told.ShouldBe(["+a", "+b", "-a"]);
    }

    [Fact]
    public async Task A_watch_that_is_too_old_lists_again_and_tells_what_was_deleted_meanwhile_once()
    {
        await using var run = new Run();
        run.Server.Put(APod("a", "n1"));
        run.Server.Put(APod("b", "n1"));
        await run.Time.UntilAsync(run.IsAsServer);
        run.Server.Before = (verb, _) => verb == "watch" ? throw new HttpRequestException("down") : Task.CompletedTask;
        run.Server.Cut(new IOException("connection reset"));
        run.Server.Remove<V1Pod>(new ObjectKey("default", "a"));
        run.Server.Put(APod("c", "n1"));
        run.Server.Compact();
        run.Server.Before = (_, _) => Task.CompletedTask;
        await run.Time.UntilAsync(run.IsAsServer);
        run.Server.Lists.ShouldBe(2);
        run.Told.Order().ShouldBe(["+a", "+b", "+c", "-a"]);
    }

    [Fact]
    public async Task Events_told_again_neither_lead_back_nor_are_told_on()
    {
        await using var run = new Run();
        run.Server.Put(APod("a", "n1"));
        run.Server.Put(APod("a", "n2"));
        await run.Time.UntilAsync(run.IsAsServer);
        run.Server.Remove<V1Pod>(new ObjectKey("default", "a"));
        run.Server.Put(APod("a", "n1"));
        await run.Time.UntilAsync(run.IsAsServer);
        var told = run.Told.Count;

        run.Server.Replay = 2; // the deletion and the new object
        run.Server.Cut(new IOException("connection reset"));
        run.Server.Put(APod("b", "n1"));
        await run.Time.UntilAsync(run.IsAsServer);
        run.Told.Skip(told).ShouldBe(["+b"]);
        run.Trouble.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_watch_that_falls_silent_is_begun_again()
    {
        await using var run = new Run();
        await run.Time.UntilAsync(() => run.Server.Watches == 1);
        var passed = await run.Time.UntilAsync(() => run.Server.Watches == 2, stepSeconds: 5);
        passed.ShouldBeGreaterThan(TimeSpan.FromMinutes(5));
        passed.ShouldBeLessThan(TimeSpan.FromMinutes(7));
    }

    [Fact]
    public async Task A_server_that_is_away_for_long_is_asked_again_within_a_minute_for_ever()
    {
        await using var run = new Run(server => server.Before = (_, _) => throw new HttpRequestException("no route"));
        await run.Time.PassAsync(3600, 10);
        run.Informer.Synced.IsCompleted.ShouldBeFalse();
        run.Server.Before = (_, _) => Task.CompletedTask;
        (await run.Time.UntilAsync(() => run.Informer.Synced.IsCompleted, 1)).ShouldBeLessThan(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Watches_lost_after_they_brought_something_are_soon_back_however_often()
    {
        await using var run = new Run();
        for (var time = 1; time <= 12; time++)
        {
            run.Server.Put(APod($"p{time}", "n1"));
            await run.Time.UntilAsync(run.IsAsServer);
            var watches = run.Server.Watches;
            run.Server.Cut(new IOException("connection reset"));
            (await run.Time.UntilAsync(() => run.Server.Watches > watches, 0.05)).ShouldBeLessThan(TimeSpan.FromSeconds(5));
        }
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_stop_the_cache()
    {
        await using var run = new Run();
        run.Informer.Changed += (_, now) =>
        {
            if (now?.Metadata.Name == "bad") throw new InvalidOperationException("a listener broke");
        };
        run.Server.Put(APod("bad", "n1"));
        run.Server.Put(APod("good", "n1"));
        await run.Time.UntilAsync(run.IsAsServer);
        run.Log.Lines.ShouldContain(line => line.Contains("a listener broke"));
    }

    private static V1Pod APod(string name, string node) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default" },
        Spec = new V1PodSpec { NodeName = node },
    };

    // An informer that runs, with what it told.
    private sealed class Run : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly ConcurrentDictionary<ObjectKey, V1Pod> _mirror = [];
        private readonly Task _running;

        public Run(Action<FakeKubeApi>? prepare = null)
        {
            prepare?.Invoke(Server);
            Informer = new Informer<V1Pod>(Server, Selection.All, Time, Log).WithIndex("node", pod => pod.Spec.NodeName);
            Informer.Changed += Mirror;
            _running = Informer.RunAsync(_stop.Token);
        }

        public FakeTimeProvider Time { get; } = new();

        public FakeKubeApi Server { get; } = new();

        public CollectedLog Log { get; } = new();

        public Informer<V1Pod> Informer { get; }

        public ConcurrentQueue<string> Told { get; } = new();

        public ConcurrentQueue<string> Trouble { get; } = new();

        // What was told comes after the cache, so both are asked.
        public bool IsAsServer()
        {
            var wanted = Server.All<V1Pod>().Select(Text).Order().ToList();
            return Informer.Synced.IsCompleted
                && wanted.SequenceEqual(Informer.Cache.Items.Select(Text).Order())
                && wanted.SequenceEqual(_mirror.Values.Select(Text).Order());
        }

        public async Task DoAsync(int what, string name, string node)
        {
            switch (what)
            {
                case 0 or 1 or 2:
                    Server.Put(APod(name, node));
                    break;
                case 3:
                    Server.Remove<V1Pod>(new ObjectKey("default", name));
                    break;
                case 4:
                    Server.Cut(new IOException("cut"));
                    break;
                case 5:
                    Server.Compact();
                    Server.Cut(FakeKubeApi.Expired());
                    break;
                case 6:
                    Server.Replay = node[^1] - '0';
                    break;
                default:
                    await Time.PassAsync(0.5);
                    break;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _stop.Dispose();
        }

        private static string Text(V1Pod pod) => $"{pod.Key()} {pod.Metadata.Uid} {pod.Metadata.ResourceVersion}";

        private static int Version(V1Pod pod) => int.Parse(pod.Metadata.ResourceVersion, CultureInfo.InvariantCulture);

        private void Mirror(V1Pod? old, V1Pod? now)
        {
            var key = (now ?? old!).Key();
            Told.Enqueue((now is null ? "-" : old is null ? "+" : "~") + key.Name);
            if (_mirror.GetValueOrDefault(key) != old) Trouble.Enqueue($"{key}: the old state is not what was told last");
            if (old is not null && now is not null && Version(now) <= Version(old)) Trouble.Enqueue($"{key} went back");
            if (now is null) _mirror.TryRemove(key, out _);
            else _mirror[key] = now;
        }
    }
}
