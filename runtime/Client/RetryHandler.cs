using System.Net;
using Polly;
using Polly.Retry;

namespace Trestle.Runtime;

/// <summary>
/// Sends again what the server did not do: answers 429 and 503 of any verb (the server says it did nothing), and lost
/// connections and other 5xx of verbs that may be repeated. Waits as long as Retry-After says, else with jitter.
/// </summary>
internal sealed class RetryHandler : DelegatingHandler
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;

    public RetryHandler(TimeProvider time)
    {
        _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = 4,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromMilliseconds(200),
                MaxDelay = Longest,
                ShouldHandle = args => ValueTask.FromResult(Handles(args.Outcome, args.Context.Properties.GetValue(Method, HttpMethod.Post))),
                DelayGenerator = args => ValueTask.FromResult(args.Outcome.Result?.Headers.RetryAfter?.Delta is { } wait ? (TimeSpan?)(wait < Longest ? wait : Longest) : null),
            })
            .Build();
    }

    private static ResiliencePropertyKey<HttpMethod> Method { get; } = new("method");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // The content is a byte array, so the same message can be sent again.
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(Method, request.Method);
        try
        {
            return await _pipeline.ExecuteAsync(async (state, sent) => await base.SendAsync(sent, state.CancellationToken), context, request);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static bool Handles(Outcome<HttpResponseMessage> outcome, HttpMethod method)
    {
        var repeatable = method == HttpMethod.Get || method == HttpMethod.Put || method == HttpMethod.Delete;
        return outcome switch
        {
            { Exception: HttpRequestException } => repeatable,
            { Result.StatusCode: HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable } => true,
            { Result.StatusCode: HttpStatusCode.InternalServerError } answer => repeatable && answer.Result.Headers.RetryAfter is not null,
            { Result.StatusCode: HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout } => repeatable,
            _ => false,
        };
    }
}
