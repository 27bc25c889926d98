using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Trestle.Testing.Engine;

/// <summary>
/// What a vLLM server does, as far as weights are concerned, without a model: tokens name the version that made them. Weights
/// are written in place, as there: after a part of an update tokens are <see cref="MixedToken"/>.
/// Routes and bodies: tests/Samples/vllm/routes.json.
/// </summary>
public sealed class StandInEngine(EngineOptions options) : IDisposable
{
    /// <summary>Token of an engine whose weights are neither the old nor the new ones.</summary>
    public const string MixedToken = "mixed";

    private readonly Lock _lock = new();
    private readonly List<RankConnection> _ranks = [];
    private CancellationTokenSource _life = new();
    private TaskCompletionSource? _paused;
    private TaskCompletionSource _idle = Done();
    private string? _pauseMode;
    private int _running;
    private int _queued;
    private long _tokens;
    private bool _updating;
    private bool _initialized;
    private int _chunks;

    /// <summary>By route, e.g. /update_weights; taken away when it strikes, unless it hangs.</summary>
    public ConcurrentDictionary<string, EngineFault> Faults { get; } = [];

    /// <summary>How often each route was called.</summary>
    public ConcurrentDictionary<string, int> Calls { get; } = [];

    /// <summary>Told of each call before it is answered.</summary>
    public Action<string>? Called { get; set; }

    public EngineOptions Options => options;

    public string Version { get; private set; } = "default";

    /// <summary>The last weights that came, whole.</summary>
    public JsonNode? Weights { get; private set; }

    /// <summary>Weights that are neither old nor new.</summary>
    public bool IsMixed { get; private set; }

    public bool IsLoaded { get; private set; } = options.StartsLoaded;

    public bool IsDead { get; private set; }

    /// <summary>Healthy, and makes no token.</summary>
    public bool IsStalled { get; set; }

    public bool IsDraining { get; private set; }

    public bool IsPaused => _paused is not null;

    /// <summary>When it was paused last, by <see cref="EngineOptions.Time"/>.</summary>
    public long PausedAt { get; private set; }

    public bool IsUpdating => _updating;

    /// <summary>Requests that make tokens; those that wait in a pause are hidden, as vLLM hides them.</summary>
    public int Running => _paused is not null ? 0 : _running;

    public int Queued => _queued;

    public long Tokens => Interlocked.Read(ref _tokens);

    /// <summary>Last rank offset it was given.</summary>
    public int RankOffset { get; private set; }

    internal CancellationToken Life => _life.Token;

    public void Loaded() => IsLoaded = true;

    /// <summary>Dies: open connections are cut, and nothing answers.</summary>
    public void Kill()
    {
        CancellationTokenSource life;
        lock (_lock) (IsDead, life) = (true, _life);
        life.Cancel();
        foreach (var rank in TakeRanks()) rank.Dispose();
    }

    /// <summary>Comes back as a new process: no pause, no group, and the weights it was started with.</summary>
    public void Restart(bool loaded = true)
    {
        Kill();
        lock (_lock)
        {
            _life = new CancellationTokenSource();
            _paused?.TrySetResult();
            (_paused, _pauseMode, _idle, _running, _queued) = (null, null, Done(), 0, 0);
            (_updating, _initialized, _chunks, IsMixed, IsStalled, IsDraining, Version, Weights) = (false, false, 0, false, false, false, "default", null);
            (IsLoaded, IsDead) = (loaded, false);
        }
    }

    /// <summary>SIGTERM with a shutdown timeout: new requests are refused, complete when running ones have ended.</summary>
    public async Task DrainAsync(CancellationToken ct)
    {
        Task idle;
        lock (_lock) (IsDraining, idle) = (true, _idle.Task);
        await idle.WaitAsync(ct);
    }

    /// <summary>Waits until it may run, makes tokens one after another, and tells each. Returns why it ended: length or abort.</summary>
    internal async Task<string> GenerateAsync(int count, Func<string, Task> token, CancellationToken ct)
    {
        Interlocked.Increment(ref _queued);
        try
        {
            await UnpausedAsync(ct);
        }
        finally
        {
            Interlocked.Decrement(ref _queued);
        }

        Enter();
        try
        {
            for (var made = 0; made < count; made++)
            {
                await Task.Delay(IsStalled ? Timeout.InfiniteTimeSpan : options.TokenTime, options.Time, ct);
                while (_paused is { } pause && _pauseMode != "wait")
                {
                    if (_pauseMode == "abort") return "abort";
                    await pause.Task.WaitAsync(ct);
                }

                Interlocked.Increment(ref _tokens);
                await token(IsMixed ? MixedToken : Version);
            }

            return "length";
        }
        finally
        {
            Leave();
        }
    }

    internal async Task PauseAsync(string mode, CancellationToken ct)
    {
        Task idle;
        lock (_lock)
        {
            if (_paused is null) PausedAt = options.Time.GetTimestamp();
            _paused ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            (_pauseMode, idle) = (mode, _idle.Task);
        }

        if (mode is "wait" or "abort") await idle.WaitAsync(ct);
    }

    internal void Resume()
    {
        lock (_lock)
        {
            _paused?.TrySetResult();
            (_paused, _pauseMode) = (null, null);
        }
    }

    /// <exception cref="IOException">The trainer can't be reached, or went away.</exception>
    internal async Task InitAsync(JsonObject info, CancellationToken ct)
    {
        var (offset, world) = ((int)info["rank_offset"]!, (int)info["world_size"]!);
        RankOffset = offset;
        foreach (var old in TakeRanks()) old.Dispose();
        if (options.Transfers)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(options.RankLimit);
            var joined = await Task.WhenAll(Enumerable.Range(offset, options.WorldSize).Select(rank =>
                RankConnection.JoinAsync((string)info["master_address"]!, (int)info["master_port"]!, rank, world, limit.Token)));
            lock (_lock) _ranks.AddRange(joined);
        }

        _initialized = true;
    }

    /// <exception cref="InvalidOperationException">As vLLM refuses it.</exception>
    internal void Start()
    {
        if (!_initialized) throw new InvalidOperationException("Weight transfer not configured. Call init_weight_transfer_engine first.");
        if (_updating) throw new InvalidOperationException("start_weight_update called while a weight update is already active. Call finish_weight_update first.");
        (_updating, _chunks) = (true, 0);
    }

    /// <exception cref="InvalidOperationException">As vLLM refuses it.</exception>
    /// <exception cref="IOException">The trainer went away.</exception>
    internal async Task UpdateAsync(bool partial, CancellationToken ct)
    {
        if (!_updating) throw new InvalidOperationException("start_weight_update must be called before update_weights.");
        JsonNode? weights = null;
        if (options.Transfers)
        {
            List<RankConnection> ranks;
            lock (_lock) ranks = [.. _ranks];
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(options.RankLimit);
            IsMixed = true;
            var lines = await Task.WhenAll(ranks.Select(rank => rank.HearAsync(limit.Token)));
            if (!partial) await Task.WhenAll(ranks.Select(rank => rank.SayAsync(new JsonObject { ["done"] = true }, limit.Token)));
            weights = lines.Length > 0 ? lines[0]["weights"]?.DeepClone() : null;
        }

        IsMixed = true;
        if (partial) throw new InvalidOperationException("out of memory after a part of the weights");
        (Weights, _chunks) = (weights, _chunks + 1);
    }

    /// <exception cref="InvalidOperationException">As vLLM refuses it.</exception>
    internal void Finish(string? version)
    {
        if (!_updating) throw new InvalidOperationException("start_weight_update must be called before finish_weight_update.");
        _updating = false;

        // Nothing came: the old weights are still there, and whole.
        if (_chunks > 0) IsMixed = false;
        if (version is not null) Version = version;
    }

    internal void Reload(string path)
    {
        (Weights, IsMixed) = (JsonValue.Create(path), false);
    }

    internal void NameVersion(string version) => Version = version;

    public void Dispose()
    {
        Kill();
        _life.Dispose();
    }

    private async Task UnpausedAsync(CancellationToken ct)
    {
        while (_paused is { } pause) await pause.Task.WaitAsync(ct);
    }

    private List<RankConnection> TakeRanks()
    {
        lock (_lock)
        {
            List<RankConnection> taken = [.. _ranks];
            _ranks.Clear();
            return taken;
        }
    }

    private void Enter()
    {
        lock (_lock)
        {
            if (_running++ == 0) _idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            if (_running > 0 && --_running == 0) _idle.TrySetResult();
        }
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }
}
