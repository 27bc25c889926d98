using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Engines;
using Trestle.WeightsGateway.Filtering;
using Trestle.WeightsGateway.Replicas;
using Trestle.WeightsGateway.Routing;
using Trestle.WeightsGateway.Updates;

namespace Trestle.WeightsGateway.Serving;

/// <summary>The weights port: to a trainer it is one vLLM server.</summary>
/// <param name="updates">Does what is asked, on all replicas.</param>
/// <param name="fleet">The replicas.</param>
/// <param name="router">Answers what clients ask for too.</param>
/// <param name="forward">Carries what is the same for all.</param>
/// <param name="token">What filters ask for.</param>
/// <param name="bodies">Reads what was sent.</param>
public sealed class WeightsServer(WeightUpdates updates, Fleet fleet, Router router, Forwarder forward, string token, RequestBodies bodies)
{
    private const int LongestBody = 16 * 1024 * 1024;

    /// <summary>Answers a request.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        try
        {
            await RouteAsync(context);
        }
        catch (RefusalException refusal)
        {
            await Answers.RefuseAsync(context, refusal.Status, refusal.Message);
        }
        catch (BadHttpRequestException error) when (error.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            await Answers.RefuseAsync(context, error.StatusCode, $"a body may have at most {LongestBody} bytes");
        }
        catch (Exception error) when (error is JsonException or BadHttpRequestException)
        {
            await Answers.RefuseAsync(context, StatusCodes.Status400BadRequest, "the body is no JSON object");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The trainer went away; what it began goes on to its end.
        }
    }

    private async Task RouteAsync(HttpContext context)
    {
        switch ($"{context.Request.Method} {context.Request.Path.Value}")
        {
            case $"GET {EngineRoutes.Health}":
                await HealthAsync(context);
                break;
            case $"POST {EngineRoutes.Pause}":
                await updates.PauseAsync(Mode(context), context.Request.Query["clear_cache"] != "false");
                await Answers.SayAsync(context, 200, new JsonObject { ["status"] = "paused" });
                break;
            case $"POST {EngineRoutes.Resume}":
                await updates.ResumeAsync();
                await Answers.SayAsync(context, 200, new JsonObject { ["status"] = "resumed" });
                break;
            case $"GET {EngineRoutes.IsPaused}":
                await Answers.SayAsync(context, 200, new JsonObject { ["is_paused"] = updates.State.Session is not null });
                break;
            case $"GET {EngineRoutes.WeightInfo}":
                await Answers.SayAsync(context, 200, new JsonObject { ["weight_version"] = updates.State.History.Newest });
                break;
            case $"GET {EngineRoutes.WorldSize}":
                await Answers.SayAsync(context, 200, new JsonObject { ["world_size"] = updates.WorldSize() });
                break;
            case $"POST {EngineRoutes.Init}":
                await updates.InitAsync(await FieldAsync(context, "init_info") as JsonObject ?? throw new JsonException());
                await Answers.SayAsync(context, 200, new JsonObject { ["message"] = "Weight transfer initialized" });
                break;
            case $"POST {EngineRoutes.Start}":
                await updates.StartAsync();
                await Answers.SayAsync(context, 200, new JsonObject { ["message"] = "Weight update started" });
                break;
            case $"POST {EngineRoutes.Update}":
                await UpdateAsync(context);
                break;
            case $"POST {EngineRoutes.Finish}":
                await updates.FinishAsync(Version(await BodyAsync(context)));
                await Answers.SayAsync(context, 200, new JsonObject { ["message"] = "Weight update finished" });
                break;
            default:
                await OtherAsync(context);
                break;
        }
    }

    // A trainer that waits for health finds all replicas there: one that came later would make its group void.
    private Task HealthAsync(HttpContext context)
    {
        var wanted = updates.Steps.Rules.Replicas;
        var there = fleet.Members.Count(member => member.State is not ReplicaState.Loading);
        return fleet.Members.Any(member => member.View is not null) && there >= wanted
            ? Task.CompletedTask
            : Answers.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, $"{there} of {wanted} replicas have come up; try again later");
    }

    private async Task UpdateAsync(HttpContext context)
    {
        var failed = await updates.UpdateAsync(await FieldAsync(context, "update_info") ?? throw new JsonException());
        var answer = new JsonObject { ["message"] = "Weights updated" };
        if (failed.Count > 0) answer["failed_replicas"] = new JsonArray([.. failed.Select(name => JsonValue.Create(name))]);
        await Answers.SayAsync(context, 200, answer);
    }

    private async Task OtherAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (EngineRoutes.SentToAll.Contains(path)) await ToAllAsync(context);
        else if (EngineRoutes.Control.Contains(path) && path != "/version" && path != EngineRoutes.Metrics) await Answers.RefuseAsync(context, StatusCodes.Status404NotFound, $"{path} can't be asked of several replicas at once");
        else await router.AnswerAsync(context);
    }

    private async Task ToAllAsync(HttpContext context)
    {
        updates.RefuseOthers();
        var body = await BodyAsync(context);
        await updates.Steps.HoldAsync();
        context.Request.Headers.Authorization = $"Bearer {token}";
        context.Request.Headers[TermGuard.Header] = updates.State.Term.ToString(CultureInfo.InvariantCulture);
        var asked = fleet.Members.Where(member => member.View is not null).ToList();
        if (asked.Count == 0) throw new RefusalException(503, "no replica answers; try again later");
        var answers = await Task.WhenAll(asked.Select(async member =>
        {
            try
            {
                return await forward.SendAsync(context, member.Replica.Control, body is null ? null : new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json"), context.RequestAborted);
            }
            catch (HttpRequestException error)
            {
                throw new RefusalException(502, $"{member.Name} does not answer: {error.Message}");
            }
        }));
        try
        {
            await Forwarder.ReturnAsync(context, Array.Find(answers, answer => !answer.IsSuccessStatusCode) ?? answers[0], context.RequestAborted);
        }
        finally
        {
            foreach (var answer in answers) answer.Dispose();
        }
    }

    private static PauseMode? Mode(HttpContext context) => context.Request.Query["mode"].ToString() switch
    {
        "" => context.Request.Query["wait_for_inflight_requests"] == "true" ? PauseMode.Wait : null,
        "keep" => PauseMode.Keep,
        "wait" => PauseMode.Wait,
        "abort" => PauseMode.Abort,
        _ => throw new RefusalException(422, "mode must be abort, wait or keep"),
    };

    private static string? Version(JsonObject? body) => body?["weight_version"] switch
    {
        null => null,
        JsonValue value when value.TryGetValue(out string? text) => text,
        var other => other.ToJsonString(),
    };

    private async Task<JsonNode?> FieldAsync(HttpContext context, string name) =>
        (await BodyAsync(context))?[name] ?? throw new RefusalException(400, $"Missing '{name}' in request body");

    private async Task<JsonObject?> BodyAsync(HttpContext context)
    {
        using var body = await bodies.ReadAsync(context, LongestBody);
        return body is null || body.Bytes.Length == 0 ? null : JsonNode.Parse(body.Bytes.Span) as JsonObject ?? throw new JsonException();
    }
}
