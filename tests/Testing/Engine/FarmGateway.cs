using Microsoft.Extensions.Logging.Abstractions;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Hosting;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.Testing.Engine;

/// <summary>A farm of engines with a gateway before them, in this process.</summary>
public sealed class FarmGateway : IAsyncDisposable
{
    private FarmGateway(EngineFarm farm, int replicas, InferenceServiceSpec spec, string? apiKey)
    {
        (Farm, Spec, Replicas, ApiKey) = (farm, spec, new FarmReplicas(farm, replicas), apiKey);
        spec.Replicas = replicas;
        Gateway = null!;
    }

    public EngineFarm Farm { get; }

    public FarmReplicas Replicas { get; }

    public InferenceServiceSpec Spec { get; }

    public MemoryBoard Board { get; } = new();

    public Gateway Gateway { get; private set; }

    public HttpClient Client { get; } = new() { Timeout = TimeSpan.FromMinutes(2) };

    private string? ApiKey { get; }

    private long RequestBytes { get; init; }

    /// <param name="replicas">Replicas at first.</param>
    /// <param name="engine">How engines behave.</param>
    /// <param name="weights">spec.weights; a trainer's when null.</param>
    /// <param name="spare">Engines beyond, for later.</param>
    /// <param name="apiKey">What clients must send.</param>
    /// <param name="requestBytes">What requests that wait may hold.</param>
    public static async Task<FarmGateway> StartAsync(int replicas, EngineOptions? engine = null, WeightsSpec? weights = null, int spare = 0, string? apiKey = null, long requestBytes = 1 << 28)
    {
        var spec = new InferenceServiceSpec { Weights = weights ?? new WeightsSpec { Source = new WeightsSource { Type = WeightsSourceType.Trainer, TrainerTask = "trainer" } } };
        var started = new FarmGateway(await EngineFarm.StartAsync(replicas + spare, engine), replicas, spec, apiKey) { RequestBytes = requestBytes };
        await started.StartGatewayAsync();
        return started;
    }

    /// <summary>Another gateway, which knows the board alone; the old one, if any, is to be ended before.</summary>
    public async Task StartGatewayAsync()
    {
        Gateway = await RivalAsync();
    }

    /// <summary>Another gateway before the same engines, while the first one is still there.</summary>
    public async Task<Gateway> RivalAsync()
    {
        var options = new GatewayOptions { Public = "http://127.0.0.1:0", Weights = "http://127.0.0.1:0", Token = "token", ApiKey = ApiKey, RequestBytes = RequestBytes };
        var gateway = new Gateway(options, Replicas, Board, () => Spec, TimeProvider.System, NullLogger.Instance);
        await gateway.StartAsync(CancellationToken.None);
        return gateway;
    }

    public StandInTrainer Trainer() => new(Gateway.WeightsAt);

    public Member Member(int ordinal) => Gateway.Fleet.Members.First(member => member.Name == FarmReplicas.Name(ordinal));

    public Task UntilAsync(string what, Func<bool> ask) => Condition.UntilAsync(what, ask, TimeSpan.FromSeconds(60), () => Task.FromResult(string.Join('\n',
        Gateway.Fleet.Members.Select(member => $"{member.Name} {member.State} {member.View} {member.Failure}"))));

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await Farm.DisposeAsync();
        Client.Dispose();
    }
}
