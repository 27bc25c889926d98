using System.Net;
using Microsoft.AspNetCore.Http;
using Trestle.WeightsGateway.Filtering;
using Trestle.WeightsGateway.Replicas;
using Trestle.WeightsGateway.Serving;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Routing;

/// <summary>
/// Gives each request to a replica in rotation. One that has no answer yet when its replica dies or leaves rotation goes to another;
/// one that waits in a pause waits.
/// </summary>
/// <param name="fleet">The replicas.</param>
/// <param name="forward">Carries requests.</param>
/// <param name="rules">What the spec says now.</param>
/// <param name="apiKey">What clients must send; null: nothing.</param>
/// <param name="bodies">Keeps what may have to be sent again.</param>
public sealed class Router(Fleet fleet, Forwarder forward, Func<RouterRules> rules, string? apiKey, RequestBodies bodies)
{
    /// <summary>Longest body, in bytes; it is kept until there is an answer, so that it can be sent again.</summary>
    public const int LongestBody = 64 * 1024 * 1024;

    private const int Tries = 6;
    private readonly ReplicaPicker _picker = new();
    private readonly BearerKey? _key = apiKey is null ? null : new BearerKey(apiKey);

    /// <summary>Answers a request of the public port.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var target = Answers.Target(context);
        if (target is "/health" or "/ping") await HealthAsync(context);
        else if (!RouteRules.IsPublic(target) || context.Request.Path == "/metrics") await Answers.RefuseAsync(context, StatusCodes.Status404NotFound, "there is no such route");
        else if (_key?.IsIn(context) == false) await Answers.RefuseAsync(context, StatusCodes.Status401Unauthorized, "the API key is missing or wrong; send it as Authorization: Bearer KEY");
        else await RouteAsync(context);
    }

    private Task HealthAsync(HttpContext context) =>
        fleet.Rotation.Count > 0 ? Task.CompletedTask : NoneAsync(context);

    private async Task RouteAsync(HttpContext context)
    {
        try
        {
            using var body = await bodies.ReadAsync(context, LongestBody);
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
        catch (RefusalException refusal)
        {
            await Answers.RefuseAsync(context, refusal.Status, refusal.Message);
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
    private async Task<bool> TryAsync(HttpContext context, Member member, RequestBody? body, bool isLast)
    {
        member.Took();
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, member.Leaves, member.Gone);
            using var answer = await forward.SendAsync(context, member.Replica.Public, body?.Content(), stop.Token);
            if (answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway && !isLast) return false;
            body?.Dispose(); // it will not be sent again

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

    private static Task NoneAsync(HttpContext context) =>
        Answers.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "no replica can answer now; try again later");
}
