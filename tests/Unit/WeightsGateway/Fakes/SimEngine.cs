using System.Text.Json.Nodes;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Engines;

namespace Trestle.WeightsGateway.Tests.Fakes;

/// <summary>An engine in memory, with weights that are written in place. Before each call the world may strike.</summary>
internal sealed class SimEngine(string name, Func<SimEngine, string, SimFault> strike) : IEngine
{
    private bool _started;
    private int _chunks;

    public string Name => name;

    public int Ranks { get; init; } = 1;

    public bool IsAlive { get; set; } = true;

    public string Version { get; set; } = "default";

    public bool IsPaused { get; set; }

    public bool IsMixed { get; private set; }

    public (int Offset, int World)? Joined { get; private set; }

    public EngineLoad Load { get; set; } = new(0, 0, 0);

    public List<string> Calls { get; } = [];

    public Task<EngineView> LookAsync(CancellationToken ct) => AskAsync("look", () => new EngineView(IsPaused, Version, Ranks), ct);

    public Task<EngineLoad> LoadAsync(CancellationToken ct) => AskAsync("load", () => Load, ct);

    public Task InitAsync(JsonObject initInfo, CancellationToken ct) => DoAsync("init", () => Joined = ((int)initInfo["rank_offset"]!, (int)initInfo["world_size"]!), ct);

    public Task PauseAsync(PauseMode mode, bool clearCache, CancellationToken ct) => DoAsync("pause", () => IsPaused = true, ct);

    public Task ResumeAsync(CancellationToken ct) => DoAsync("resume", () => IsPaused = false, ct);

    public Task StartAsync(CancellationToken ct) => DoAsync("start", () =>
    {
        if (Joined is null) throw new EngineException("call init_weight_transfer_engine first");
        if (_started) throw new EngineException("an update is active");
        (_started, _chunks) = (true, 0);
    }, ct);

    public Task UpdateAsync(JsonNode updateInfo, CancellationToken ct) => DoAsync("update", () =>
    {
        if (!_started) throw new EngineException("start first");
        (IsMixed, _chunks) = (true, _chunks + 1);
    }, ct);

    public Task FinishAsync(string? version, CancellationToken ct) => DoAsync("finish", () =>
    {
        if (!_started) throw new EngineException("start first");
        _started = false;
        if (_chunks > 0 && version is not null) IsMixed = false;
        if (version is not null) Version = version;
    }, ct);

    public Task ResetCacheAsync(CancellationToken ct) => DoAsync("cache", () => { }, ct);

    public Task ReloadAsync(string path, CancellationToken ct) => DoAsync("reload", () => IsMixed = false, ct);

    public Task NameVersionAsync(string version, CancellationToken ct) => DoAsync("name", () => Version = version, ct);

    private Task DoAsync(string call, Action effect, CancellationToken ct) => AskAsync<object?>(call, () =>
    {
        effect();
        return null;
    }, ct);

    private async Task<T> AskAsync<T>(string call, Func<T> effect, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (!IsAlive) throw new EngineException("connection refused");
        Calls.Add(call);
        switch (strike(this, call))
        {
            case SimFault.Refuse:
                throw new EngineException("answered 500");
            case SimFault.Partial:
                IsMixed |= call == "update";
                throw new EngineException("answered 500");
            case SimFault.Hang:
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
                break;
            case SimFault.HangAfter:
                effect();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
                break;
            case SimFault.KillEngine:
                IsAlive = false;
                throw new EngineException("connection reset");
            case SimFault.KillGatewayBefore:
                throw new GatewayDiedException();
            case SimFault.KillGatewayAfter:
                effect();
                throw new GatewayDiedException();
        }

        return effect();
    }
}
