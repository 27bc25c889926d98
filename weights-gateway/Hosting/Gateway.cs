using System.Net.Http.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;
using Trestle.WeightsGateway.Board;
using Trestle.WeightsGateway.Engines;
using Trestle.WeightsGateway.Replicas;
using Trestle.WeightsGateway.Routing;
using Trestle.WeightsGateway.Serving;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Hosting;

/// <summary>A gateway as one running whole, whatever it finds its replicas in.</summary>
public sealed class Gateway : IAsyncDisposable
{
    private readonly GatewayOptions _options;
    private readonly Forwarder _forward = new();
    private readonly RequestBodies _bodies;
    private readonly HttpClient _http;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly GatewayRecovery _recovery;
    private readonly Rounds _rounds;
    private readonly StorageUpdates _storage;
    private readonly ReadyMarkers _markers = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];
    private readonly InFlight _clients;
    private WebApplication? _public;
    private WebApplication? _weights;

    /// <param name="options">Where it serves.</param>
    /// <param name="source">Which replicas there are.</param>
    /// <param name="board">Where it writes.</param>
    /// <param name="spec">What the service's spec says now.</param>
    /// <param name="time">Clock.</param>
    /// <param name="log">What happens.</param>
    public Gateway(GatewayOptions options, IReplicaSource source, IServiceBoard board, Func<InferenceServiceSpec> spec, TimeProvider time, ILogger log)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _time, _log) = (options, time, log);
        _bodies = new RequestBodies(options.RequestBytes);
        _http = new HttpClient(new TermHeader(Forwarder.Handler(), () => Updates!.State.Term)) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", options.Token);
        Fleet = new Fleet(source, replica => new HttpEngine(_http, replica.Control, replica.Public, () => WeightsRules.Of(spec()).Source != WeightsSourceType.None), time);
        Updates = new WeightUpdates(Fleet, board, () => WeightsRules.Of(spec()), time, log);
        _recovery = new GatewayRecovery(Updates, board, log);
        _rounds = new Rounds(Updates, board, log);
        _storage = new StorageUpdates(Updates, _markers, log);
        Router = new Router(Fleet, _forward, () => RouterRules.Of(spec()), options.ApiKey, _bodies);
        _clients = new InFlight(Router.AnswerAsync, time);
    }

    /// <summary>The replicas.</summary>
    public Fleet Fleet { get; }

    /// <summary>Updates of weights.</summary>
    public WeightUpdates Updates { get; }

    /// <summary>Gives requests to replicas.</summary>
    public Router Router { get; }

    /// <summary>Where requests are served, with the port it got.</summary>
    public Uri PublicAt => new(_public!.Urls.First());

    /// <summary>Where weights are taken, with the port it got.</summary>
    public Uri WeightsAt => new(_weights!.Urls.First());

    /// <summary>Brings to an end what a gateway before it began, then serves.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        await _recovery.RunAsync(ct);
        await _rounds.OnceAsync(ct);
        var weights = new WeightsServer(Updates, Fleet, Router, _forward, _options.Token, _bodies);
        _public = await HttpEndpoint.StartAsync(_options.Public, _clients.AnswerAsync, ct);
        _weights = await HttpEndpoint.StartAsync(_options.Weights, weights.AnswerAsync, ct);
        _loops.Add(Task.Run(() => Turns.RunAsync(_rounds.OnceAsync, _time, _log, _stop.Token), CancellationToken.None));
        _loops.Add(Task.Run(() => Turns.RunAsync(_storage.OnceAsync, _time, _log, _stop.Token), CancellationToken.None));
    }

    /// <summary>Serves until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct) =>
        await Task.Delay(Timeout.InfiniteTimeSpan, _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Rounds go on meanwhile: what a client waits for may be the end of a pause.
        await _clients.EndAsync(_options.Drain);
        await _stop.CancelAsync();
        if (_weights is not null) await _weights.DisposeAsync();
        if (_public is not null) await _public.DisposeAsync();
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Updates.Dispose();
        _markers.Dispose();
        _forward.Dispose();
        _http.Dispose();
        _stop.Dispose();
    }
}
