using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Trestle.WeightsGateway.Serving;

/// <summary>Answers of our own, shaped as OpenAI's and vLLM's errors are.</summary>
internal static class Answers
{
    public const int RetrySeconds = 5;

    /// <summary>An error in a sentence.</summary>
    public static Task RefuseAsync(HttpContext context, int status, string message)
    {
        if (status == StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = RetrySeconds.ToString();
        return SayAsync(context, status, new JsonObject { ["error"] = new JsonObject { ["message"] = message, ["type"] = "trestle", ["code"] = status } });
    }

    public static Task SayAsync(HttpContext context, int status, JsonNode body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body.ToJsonString(), context.RequestAborted);
    }

    /// <summary>The target of the request line as it came.</summary>
    public static string Target(HttpContext context) => context.Features.Get<IHttpRequestFeature>()!.RawTarget;
}
