using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Trestle.Testing.Engine;

/// <summary>The HTTP routes of a stand-in engine, with vLLM's names, bodies and status codes.</summary>
public static class StandInRoutes
{
    /// <summary>Answers one request to an engine.</summary>
    public static async Task AnswerAsync(this StandInEngine engine, HttpContext context)
    {
        var route = context.Request.Path.Value ?? "/";
        if (!engine.IsDead) engine.Called?.Invoke(route);
        if (engine.IsDead)
        {
            context.Abort();
            return;
        }

        engine.Calls.AddOrUpdate(route, 1, (_, count) => count + 1);
        using var ct = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, engine.Life);
        try
        {
            var fault = await StrikeAsync(engine, route, ct.Token);
            if (fault == EngineFault.Refuse) await SayAsync(context, 500, Error("CUDA error: an illegal memory access was encountered"));
            else if (!engine.IsLoaded) await Task.Delay(Timeout.InfiniteTimeSpan, engine.Options.Time, ct.Token);
            else await RouteAsync(engine, context, route, fault, ct.Token);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
        catch (Exception error) when (error is InvalidOperationException or IOException && !context.Response.HasStarted)
        {
            if (engine.IsDead) context.Abort();
            else await SayAsync(context, 500, Error(error.Message));
        }
    }

    private static async Task<EngineFault?> StrikeAsync(StandInEngine engine, string route, CancellationToken ct)
    {
        if (!engine.Faults.TryGetValue(route, out var fault)) return null;
        switch (fault)
        {
            case EngineFault.Hang:
                await Task.Delay(Timeout.InfiniteTimeSpan, engine.Options.Time, ct);
                break;
            case EngineFault.Crash:
                engine.Faults.TryRemove(route, out _);
                engine.Kill();
                ct.ThrowIfCancellationRequested();
                break;
            default:
                engine.Faults.TryRemove(route, out _);
                break;
        }

        return fault;
    }

    private static async Task RouteAsync(StandInEngine engine, HttpContext context, string route, EngineFault? fault, CancellationToken ct)
    {
        var request = context.Request;
        switch ($"{request.Method} {route}")
        {
            case "GET /health" or "GET /ping" or "POST /ping":
                break;
            case "GET /version":
                await SayAsync(context, 200, new JsonObject { ["version"] = "0.32.0" });
                break;
            case "GET /v1/models":
                await SayAsync(context, 200, new JsonObject { ["object"] = "list", ["data"] = new JsonArray(new JsonObject { ["id"] = engine.Options.Model, ["object"] = "model" }) });
                break;
            case "GET /metrics":
                await context.Response.WriteAsync(Metrics(engine), ct);
                break;
            case "POST /v1/completions" or "POST /v1/chat/completions":
                await StandInCompletions.AnswerAsync(engine, context, ct);
                break;
            case "POST /pause":
                await PauseAsync(engine, context, ct);
                break;
            case "POST /resume":
                engine.Resume();
                await SayAsync(context, 200, new JsonObject { ["status"] = "resumed" });
                break;
            case "GET /is_paused":
                await SayAsync(context, 200, new JsonObject { ["is_paused"] = engine.IsPaused });
                break;
            case "GET /get_world_size":
                await SayAsync(context, 200, new JsonObject { ["world_size"] = engine.Options.WorldSize });
                break;
            case "GET /weight_info":
                await SayAsync(context, 200, new JsonObject { ["weight_version"] = engine.Version });
                break;
            case "POST /init_weight_transfer_engine":
                if (await FieldAsync(context, "init_info", ct) is not { } init) break;
                await engine.InitAsync(init.AsObject(), ct);
                await SayAsync(context, 200, new JsonObject { ["message"] = "Weight transfer initialized" });
                break;
            case "POST /start_weight_update":
                engine.Start();
                await SayAsync(context, 200, new JsonObject { ["message"] = "Weight update started" });
                break;
            case "POST /update_weights":
                if (await FieldAsync(context, "update_info", ct) is null) break;
                await engine.UpdateAsync(fault == EngineFault.PartialApply, ct);
                await SayAsync(context, 200, new JsonObject { ["message"] = "Weights updated" });
                break;
            case "POST /finish_weight_update":
                engine.Finish((string?)(await BodyAsync(context, ct))?["weight_version"]);
                await SayAsync(context, 200, new JsonObject { ["message"] = "Weight update finished" });
                break;
            case "POST /update_weight_version":
                if (await FieldAsync(context, "new_version", ct) is not { } version) break;
                engine.NameVersion((string)version!);
                await SayAsync(context, 200, new JsonObject { ["success"] = true, ["new_version"] = (string)version! });
                break;
            case "POST /collective_rpc":
                await CollectiveAsync(engine, context, ct);
                break;
            case "POST /reset_prefix_cache" or "POST /reset_mm_cache" or "POST /sleep" or "POST /wake_up":
                break;
            default:
                await SayAsync(context, 404, new JsonObject { ["detail"] = "Not Found" });
                break;
        }
    }

    private static async Task PauseAsync(StandInEngine engine, HttpContext context, CancellationToken ct)
    {
        var mode = context.Request.Query["mode"].ToString() is { Length: > 0 } given ? given : "abort";
        if (mode is not ("abort" or "wait" or "keep"))
        {
            await SayAsync(context, 422, new JsonObject { ["detail"] = new JsonArray(new JsonObject { ["msg"] = "Input should be 'abort', 'wait' or 'keep'" }) });
            return;
        }

        await engine.PauseAsync(mode, ct);
        await SayAsync(context, 200, new JsonObject { ["status"] = "paused" });
    }

    private static async Task CollectiveAsync(StandInEngine engine, HttpContext context, CancellationToken ct)
    {
        var body = await BodyAsync(context, ct);
        if ((string?)body?["method"] is not { } method)
        {
            await SayAsync(context, 400, new JsonObject { ["detail"] = "Missing 'method' in request body" });
            return;
        }

        if (method == "reload_weights") engine.Reload((string?)body!["kwargs"]?["weights_path"] ?? "");
        await SayAsync(context, 200, new JsonObject { ["results"] = new JsonArray([.. Enumerable.Repeat<JsonNode?>(null, engine.Options.WorldSize)]) });
    }

    private static string Metrics(StandInEngine engine) =>
        $"# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{{engine=\"0\",model_name=\"{engine.Options.Model}\"}} {engine.Running}.0\n"
        + $"# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting{{engine=\"0\",model_name=\"{engine.Options.Model}\"}} {(engine.IsPaused ? 0 : engine.Queued)}.0\n"
        + $"# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total{{engine=\"0\",model_name=\"{engine.Options.Model}\"}} {engine.Tokens}.0\n";

    private static async Task<JsonNode?> FieldAsync(HttpContext context, string name, CancellationToken ct)
    {
        if ((await BodyAsync(context, ct))?[name] is { } field) return field;
        await SayAsync(context, 400, new JsonObject { ["detail"] = $"Missing '{name}' in request body" });
        return null;
    }

    internal static async Task<JsonObject?> BodyAsync(HttpContext context, CancellationToken ct)
    {
        using var reader = new StreamReader(context.Request.Body);
        var text = await reader.ReadToEndAsync(ct);
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    internal static Task SayAsync(HttpContext context, int status, JsonNode body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body.ToJsonString());
    }

    private static JsonObject Error(string message) => new() { ["error"] = new JsonObject { ["message"] = message, ["type"] = "Internal Server Error", ["code"] = 500 } };
}
