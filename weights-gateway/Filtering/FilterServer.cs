using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Trestle.Runtime;
using Trestle.WeightsGateway.Serving;

namespace Trestle.WeightsGateway.Filtering;

/// <summary>
/// Stands before one engine: anybody may ask for what is public, and the gateway alone, by its token, for what changes the engine.
/// The engine itself listens on loopback.
/// </summary>
public sealed class FilterServer : IAsyncDisposable
{
    private readonly Forwarder _forward = new();
    private readonly FilterOptions _options;
    private readonly BearerKey _token;
    private readonly TermGuard _terms = new();
    private readonly List<WebApplication> _apps = [];
    private readonly InFlight _clients;

    /// <param name="options">How it runs.</param>
    /// <param name="token">What the gateway must send.</param>
    public FilterServer(FilterOptions options, string token)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(token);
        (_options, _token) = (options, new BearerKey(token));
        _clients = new InFlight(PublicAsync, TimeProvider.System);
    }

    /// <summary>Where public routes are, with the port it got.</summary>
    public string PublicAt => _apps[0].Urls.First();

    /// <summary>Where control routes are, with the port it got.</summary>
    public string ControlAt => _apps[1].Urls.First();

    /// <summary>Listens at both ports.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        _apps.Add(await HttpEndpoint.StartAsync(_options.Public, _clients.AnswerAsync, ct));
        _apps.Add(await HttpEndpoint.StartAsync(_options.Control, ControlAsync, ct));
    }

    /// <summary>Lets clients have their answers: an engine that is being ended makes them until it is done.</summary>
    public Task DrainAsync(TimeSpan limit) => _clients.EndAsync(limit);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps) await app.DisposeAsync();
        _forward.Dispose();
    }

    private Task PublicAsync(HttpContext context)
    {
        var target = Answers.Target(context);
        if (_token.IsIn(context)) context.Request.Headers.Authorization = default; // the token is none of the engine's business
        return RouteRules.IsPublic(target) || (_options.OpenAdmin && RouteRules.IsControl(target)) ? ForwardAsync(context) : Answers.RefuseAsync(context, StatusCodes.Status404NotFound, "there is no such public route");
    }

    private Task ControlAsync(HttpContext context)
    {
        if (!_token.IsIn(context)) return Answers.RefuseAsync(context, StatusCodes.Status401Unauthorized, "control routes need the gateway's token");
        if (!RouteRules.IsControl(Answers.Target(context))) return Answers.RefuseAsync(context, StatusCodes.Status404NotFound, "there is no such control route");
        if (!_terms.Lets(context)) return Answers.RefuseAsync(context, StatusCodes.Status409Conflict, "a later gateway drives this engine");
        context.Request.Headers.Authorization = default;
        return ForwardAsync(context);
    }

    private async Task ForwardAsync(HttpContext context)
    {
        try
        {
            // How much one may send is the gateway's to say.
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
            var body = context.Request.ContentLength is > 0 || context.Request.Headers.TransferEncoding.Count > 0 ? new StreamContent(context.Request.Body) : null;
            if (body is not null && context.Request.ContentLength is { } length) body.Headers.ContentLength = length;
            using var answer = await _forward.SendAsync(context, _options.Engine, body, context.RequestAborted);
            await Forwarder.ReturnAsync(context, answer, context.RequestAborted);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            if (context.Response.HasStarted) context.Abort();
            else await Answers.RefuseAsync(context, StatusCodes.Status502BadGateway, "the engine does not answer");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked went away.
        }
    }
}
