using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Trestle.Testing.Engine;

/// <summary>/v1/completions and /v1/chat/completions of a stand-in engine, streamed or whole. Each token is the version that made it.</summary>
internal static class StandInCompletions
{
    public static async Task AnswerAsync(StandInEngine engine, HttpContext context, CancellationToken ct)
    {
        if (engine.IsDraining)
        {
            await StandInRoutes.SayAsync(context, 503, new JsonObject { ["error"] = "Service is shutting down" });
            return;
        }

        var body = await StandInRoutes.BodyAsync(context, ct) ?? [];
        var chat = context.Request.Path.Value!.EndsWith("chat/completions", StringComparison.Ordinal);
        var count = (int?)body["max_tokens"] ?? 16;
        if ((bool?)body["stream"] == true) await StreamAsync(engine, context, chat, count, ct);
        else await WholeAsync(engine, context, chat, count, ct);
    }

    private static async Task WholeAsync(StandInEngine engine, HttpContext context, bool chat, int count, CancellationToken ct)
    {
        var text = new StringBuilder();
        var reason = await engine.GenerateAsync(count, token => Task.FromResult(text.Append(token).Append(' ')), ct);
        var choice = chat
            ? new JsonObject { ["index"] = 0, ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text.ToString() }, ["finish_reason"] = reason }
            : new JsonObject { ["index"] = 0, ["text"] = text.ToString(), ["finish_reason"] = reason };
        await StandInRoutes.SayAsync(context, 200, new JsonObject { ["object"] = chat ? "chat.completion" : "text_completion", ["choices"] = new JsonArray(choice) });
    }

    private static async Task StreamAsync(StandInEngine engine, HttpContext context, bool chat, int count, CancellationToken ct)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        var reason = await engine.GenerateAsync(count, token => EventAsync(context, Chunk(chat, token + " ", null), ct), ct);
        await EventAsync(context, Chunk(chat, "", reason), ct);
        await context.Response.WriteAsync("data: [DONE]\n\n", ct);
    }

    private static async Task EventAsync(HttpContext context, JsonObject chunk, CancellationToken ct)
    {
        await context.Response.WriteAsync($"data: {chunk.ToJsonString()}\n\n", ct);
        await context.Response.Body.FlushAsync(ct);
    }

    private static JsonObject Chunk(bool chat, string text, string? reason) => new()
    {
        ["object"] = chat ? "chat.completion.chunk" : "text_completion",
        ["choices"] = new JsonArray(chat
            ? new JsonObject { ["index"] = 0, ["delta"] = new JsonObject { ["content"] = text }, ["finish_reason"] = reason }
            : new JsonObject { ["index"] = 0, ["text"] = text, ["finish_reason"] = reason }),
    };
}
