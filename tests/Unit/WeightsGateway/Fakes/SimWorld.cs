using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Replicas;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Tests.Fakes;

/// <summary>Engines, a board and a gateway in virtual time, where anything may be killed at any call.</summary>
internal sealed class SimWorld : IReplicaSource, IDisposable
{
    private readonly Dictionary<string, (Replica Replica, SimEngine Engine)> _replicas = [];
    private readonly List<CancellationTokenSource> _ended = [];
    private CancellationTokenSource _life = new();
    private int _pods;

    public SimWorld(int replicas, WeightsRules? rules = null)
    {
        Rules = rules ?? new WeightsRules { Source = WeightsSourceType.Trainer };
        for (var ordinal = 0; ordinal < replicas; ordinal++) Add(ordinal);
        Start();
    }

    public FakeTimeProvider Time { get; } = new();

    public SimBoard Board { get; } = new();

    public WeightsRules Rules { get; set; }

    public Func<SimEngine, string, SimFault> Strike { get; set; } = (_, _) => SimFault.None;

    public Fleet Fleet { get; private set; } = null!;

    public WeightUpdates Updates { get; private set; } = null!;

    public Rounds Rounds { get; private set; } = null!;

    public StorageUpdates Storage { get; private set; } = null!;

    public IReadOnlyList<Replica> Replicas => [.. _replicas.Values.Select(one => one.Replica).OrderBy(replica => replica.Ordinal)];

    public IEnumerable<SimEngine> Engines => _replicas.Values.OrderBy(one => one.Replica.Ordinal).Select(one => one.Engine);

    public SimEngine this[int ordinal] => _replicas[Name(ordinal)].Engine;

    public Member Member(int ordinal) => Fleet.Members.First(member => member.Name == Name(ordinal));

    public int Count => _replicas.Count;

    public void Add(int ordinal, int ranks = 1) => Put(ordinal, new Instance($"uid-{++_pods}", 0), ranks);

    public void Remove(int ordinal)
    {
        if (!_replicas.Remove(Name(ordinal), out var gone)) return;
        gone.Engine.IsAlive = false;
    }

    /// <summary>The container starts anew in the same pod.</summary>
    public void Restart(int ordinal)
    {
        var old = _replicas[Name(ordinal)];
        old.Engine.IsAlive = false;
        Put(ordinal, old.Replica.Instance with { Restarts = old.Replica.Instance.Restarts + 1 }, old.Engine.Ranks);
    }

    public void Drain(int ordinal)
    {
        var old = _replicas[Name(ordinal)];
        _replicas[Name(ordinal)] = (old.Replica with { IsDraining = true }, old.Engine);
    }

    /// <summary>Another gateway in the place of this one, which knows the board alone.</summary>
    public void Start()
    {
        _life.Cancel();
        _ended.Add(_life);
        _life = new CancellationTokenSource();
        Fleet = new Fleet(this, replica => _replicas[replica.Name].Engine, Time);
        Updates = new WeightUpdates(Fleet, Board, () => Rules, Time, NullLogger.Instance);
        Rounds = new Rounds(Updates, Board, NullLogger.Instance);
        Storage = new StorageUpdates(Updates, new NoMarkers(), NullLogger.Instance);
    }

    /// <summary>Runs something to its end. Time goes on only where nothing is left to be done before; then rounds are made.</summary>
    public async Task RunAsync(Func<Task> work)
    {
        Task done;
        using (var turns = new OneThread()) done = Done(work, turns);
        await done;
    }

    private Task Done(Func<Task> work, OneThread turns)
    {
        var task = Guard(work);
        Task round = Task.CompletedTask;
        turns.Drain();
        for (var seconds = 0; !task.IsCompleted; seconds++)
        {
            if (seconds > 20_000) throw new InvalidOperationException("it never ends");
            if (round.IsCompleted) round = Guard(() => Rounds.OnceAsync(_life.Token));
            turns.Drain();
            if (task.IsCompleted) break;
            Time.Advance(TimeSpan.FromSeconds(seconds < 30 ? 1 : 20));
            turns.Drain();
        }

        for (var seconds = 0; !round.IsCompleted && seconds < 100; seconds++)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            turns.Drain();
        }

        return task;
    }

    public Task RecoverAsync() => RunAsync(() => new GatewayRecovery(Updates, Board, NullLogger.Instance).RunAsync(_life.Token));

    public Task RoundAsync() => RunAsync(() => Rounds.OnceAsync(_life.Token));

    public async Task RoundsAsync(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(10))
        {
            Time.Advance(TimeSpan.FromSeconds(10));
            await RoundAsync();
        }
    }

    public Task InitAsync(int? world = null, int offset = 1) => RunAsync(async () => await Updates.InitAsync(new JsonObject
    {
        ["master_address"] = "trainer",
        ["master_port"] = 29600,
        ["rank_offset"] = offset,
        ["world_size"] = world ?? (offset + Updates.WorldSize()),
    }));

    public Task UpdateAsync() => RunAsync(() => Updates.UpdateAsync(new JsonObject { ["names"] = new JsonArray("w") }));

    /// <summary>As a trainer that pauses nothing itself.</summary>
    public async Task PushAsync(string version)
    {
        await RunAsync(Updates.StartAsync);
        await UpdateAsync();
        await RunAsync(() => Updates.FinishAsync(version));
    }

    /// <summary>As a gateway and a trainer come up.</summary>
    public static async Task<SimWorld> ReadyAsync(int replicas, WeightsRules? rules = null)
    {
        var world = new SimWorld(replicas, rules);
        await world.RecoverAsync();
        await world.RoundAsync();
        return world;
    }

    public void Dispose()
    {
        _life.Cancel();
        Updates.Dispose();
    }

    private static async Task Guard(Func<Task> work) => await work();

    private static string Name(int ordinal) => $"policy-{ordinal}-0";

    private void Put(int ordinal, Instance instance, int ranks)
    {
        var address = new Uri($"http://127.0.0.{ordinal + 1}:8081");
        _replicas[Name(ordinal)] = (new Replica(Name(ordinal), ordinal, instance, address, address), new SimEngine(Name(ordinal), (engine, call) => Strike(engine, call)) { Ranks = ranks });
    }

    private sealed class NoMarkers : IReadyMarkers
    {
        public bool CanSee(string uri) => true;

        public Task<string?> WhyNotAsync(string uri, string marker, CancellationToken ct) => Task.FromResult<string?>(null);
    }
}
