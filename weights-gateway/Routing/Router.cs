using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Trestle.WeightsGateway.Filtering;
using Trestle.WeightsGateway.Replicas;
using Trestle.WeightsGateway.Serving;

namespace Trestle.WeightsGateway.Routing;

/// <summary>
/// Gives each request to a replica in rotation. One that has no answer yet when its replica dies or leaves rotation goes to another;
/// one that waits in a pause waits.
/// </summary>
/// <param name="fleet">The replicas.</param>
/// <param name="forward">Carries requests.</param>
/// <param name="rules">What the spec says now.</param>
/// <param name="apiKey">What clients must send; null: nothing.</param>
public sealed class Router(Fleet fleet, Forwarder forward, Func<RouterRules> rules, string? apiKey)
{
    /// <summary>Longest body, in bytes; it is kept until there is an answer, so that it can be sent again.</summary>
    public const int LongestBody = 64 * 1024 * 1024;

    private const int Tries = 6;
    private readonly ReplicaPicker _picker = new();
    private readonly byte[]? _key = apiKey is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(apiKey));

    /// <summary>Answers a request of the public port.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var target = Answers.Target(context);
        if (target is "/health" or "/ping") await HealthAsync(context);
        else if (!RouteRules.IsPublic(target) || context.Request.Path == "/metrics") await Answers.RefuseAsync(context, StatusCodes.Status404NotFound, "there is no such route");
        else if (!MayAsk(context)) await Answers.RefuseAsync(context, StatusCodes.Status401Unauthorized, "the API key is missing or wrong; send it as Authorization: Bearer KEY");
        else await RouteAsync(context);
    }

    private Task HealthAsync(HttpContext context) =>
        fleet.Rotation.Count > 0 ? Task.CompletedTask : NoneAsync(context);

    private bool MayAsk(HttpContext context) => _key is null
        || (context.Request.Headers.Authorization is [{ } header] && header.StartsWith("Bearer ", StringComparison.Ordinal)
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(header["Bearer ".Length..].Trim())), _key));

    private async Task RouteAsync(HttpContext context)
    {
        try
        {
            var body = await BodyAsync(context);
            var failed = new HashSet<Member>();
            for (var tries = 0; tries < Tries; tries++)
            {
                var all = fleet.Rotation;
                var fresh = failed.Count == 0 ? all : [.. all.Where(member => !failed.Contains(member))];
                var to = rules();
                if (_picker.Pick(fresh.Count > 0 ? fresh : all, to.Policy, context.Request.Headers[to.SessionHeader]) is not { } member) break;
                if (await TryAsync(context, member, body, isLast: tries == Tries - 1)) return;
                failed.Add(member);
            }

            await NoneAsync(context);
        }
        catch (BadHttpRequestException error)
        {
            await Answers.RefuseAsync(context, error.StatusCode, error.StatusCode == StatusCodes.Status413PayloadTooLarge ? $"a request may have at most {LongestBody} bytes" : "the request can't be read");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away.
        }
    }

    /// <summary>False: there is no answer, and another replica may be asked.</summary>
    private async Task<bool> TryAsync(HttpContext context, Member member, byte[]? body, bool isLast)
    {
        member.Took();
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, member.Leaves, member.Gone);
            using var answer = await forward.SendAsync(context, member.Replica.Public, body is null ? null : new ByteArrayContent(body), stop.Token);
            if (answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway && !isLast) return false;
            // A node that is lost says nothing more, not even that it is.
            using var cut = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, member.Gone);
            await Forwarder.ReturnAsync(context, answer, cut.Token);
            return true;
        }
        catch (Exception error) when (error is HttpRequestException or IOException || (error is OperationCanceledException && !context.RequestAborted.IsCancellationRequested))
        {
            if (!context.Response.HasStarted) return false;
            context.Abort();
            return true;
        }
        finally
        {
            member.GaveBack();
        }
    }

    private static async Task<byte[]?> BodyAsync(HttpContext context)
    {
        if (context.Request.ContentLength is null or 0 && context.Request.Headers.TransferEncoding.Count == 0) return null;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = LongestBody;
        using var whole = new MemoryStream();
        await context.Request.Body.CopyToAsync(whole, context.RequestAborted);
        return whole.ToArray();
    }

    private static Task NoneAsync(HttpContext context) =>
        Answers.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "no replica can answer now; try again later");
}
