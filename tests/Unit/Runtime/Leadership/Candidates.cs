using System.Collections.Concurrent;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace Trestle.Runtime.Tests.Leadership;

/// <summary>Processes that want one lease, each with its own connection and its own wall clock.</summary>
internal sealed class Candidates : IAsyncDisposable
{
    private static readonly AsyncLocal<string> Caller = new();
    private readonly ConcurrentDictionary<string, (CancellationTokenSource Stop, Task Running)> _running = [];
    private readonly ConcurrentQueue<(string Name, CancellationToken Term)> _terms = [];

    public Candidates()
    {
        Server.Before = (verb, ct) => Before(Caller.Value!, verb, ct);
        Server.After = (verb, ct) => After(Caller.Value!, verb, ct);
    }

    public FakeTimeProvider Time { get; } = new();

    public FakeKubeApi Server { get; } = new();

    /// <summary>Faults of a connection, by candidate and verb.</summary>
    public Func<string, string, CancellationToken, Task> Before { get; set; } = (_, _, _) => Task.CompletedTask;

    /// <summary>Lost answers.</summary>
    public Func<string, string, CancellationToken, Task> After { get; set; } = (_, _, _) => Task.CompletedTask;

    /// <summary>What a candidate does after its term has ended, before its work has.</summary>
    public Func<string, Task> Drain { get; set; } = _ => Task.CompletedTask;

    /// <summary>Who leads, by the tokens of the terms.</summary>
    public IReadOnlyList<string> Leaders => _terms.Where(one => !one.Term.IsCancellationRequested).Select(one => one.Name).ToList();

    public int TermsOf(string name) => _terms.Count(one => one.Name == name);

    public V1Lease? Lease => Server.All<V1Lease>().SingleOrDefault();

    public void Start(string name, TimeSpan wallOffset = default) => Start(name, wallOffset, async term =>
    {
        _terms.Enqueue((name, term));
        await Task.Delay(Timeout.InfiniteTimeSpan, Time, term).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Drain(name);
    });

    public void Start(string name, TimeSpan wallOffset, Func<CancellationToken, Task> work)
    {
        var stop = new CancellationTokenSource();
        var gate = new LeaderGate(Server, "trestle-system", "operator", name, new AdjustableClock(Time) { WallOffset = wallOffset }, new CollectedLog());
        var running = Task.Run(() =>
        {
            Caller.Value = name;
            return gate.RunAsync(work, stop.Token);
        });
        _running[name] = (stop, running);
    }

    public Task LeadsAsync(string name) => Time.UntilAsync(() => Leaders.Contains(name));

    /// <summary>Asks a candidate to end, and does not wait.</summary>
    public Task AskToStopAsync(string name) => _running[name].Stop.CancelAsync();

    public Task Ended(string name) => _running[name].Running;

    public async ValueTask DisposeAsync()
    {
        (Before, After, Drain) = ((_, _, _) => Task.CompletedTask, (_, _, _) => Task.CompletedTask, _ => Task.CompletedTask);
        foreach (var (stop, _) in _running.Values) await stop.CancelAsync();
        await Time.UntilAsync(() => _running.Values.All(one => one.Running.IsCompleted), 5);
        foreach (var (stop, _) in _running.Values) stop.Dispose();
    }
}
