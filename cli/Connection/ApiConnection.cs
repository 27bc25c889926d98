using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using k8s;

namespace Trestle.Cli.Connection;

/// <summary>
/// Plain requests to one API server. KubernetesClient gives the transport and the credentials; its generated operations
/// are left aside, because loading them costs more than most commands take.
/// </summary>
internal sealed class ApiConnection(Kubernetes client, TimeProvider time) : IDisposable
{
    private const int PageSize = 500;
    private const int MaxTries = 4;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);
    private readonly Lazy<HttpClient> _outside = new(() => new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan });
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(5);

    public void Dispose()
    {
        client.Dispose();
        if (_outside.IsValueCreated)
        {
            _outside.Value.Dispose();
        }
    }

    /// <summary>Null when there is no such object.</summary>
    public async Task<T?> FindAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(await SendAsync(HttpMethod.Get, path, null, cancellation), type);
        }
        catch (ApiException error) when (error is { StatusCode: HttpStatusCode.NotFound, Reason: "NotFound" } && !IsUnknownKind(error.Message))
        {
            return null;
        }
    }

    /// <summary>All pages of a list.</summary>
    /// <param name="path">Path of the collection.</param>
    /// <param name="query">Selectors, "" for none.</param>
    /// <param name="read">One item.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<IReadOnlyList<T>> ListAsync<T>(string path, string query, Func<JsonElement, T> read, CancellationToken cancellation)
    {
        var items = new List<T>();
        var next = "";
        do
        {
            var address = $"{path}?limit={PageSize}{(query.Length > 0 ? "&" + query : "")}{(next.Length > 0 ? "&continue=" + Uri.EscapeDataString(next) : "")}";
            using var page = JsonDocument.Parse(await SendAsync(HttpMethod.Get, address, null, cancellation));
            if (page.RootElement.TryGetProperty("items", out var found) && found.ValueKind == JsonValueKind.Array)
            {
                items.AddRange(found.EnumerateArray().Select(read));
            }

            next = page.RootElement.TryGetProperty("metadata", out var meta) && meta.TryGetProperty("continue", out var token) ? token.GetString() ?? "" : "";
        }
        while (next.Length > 0);
        return items;
    }

    /// <summary>The body of the answer.</summary>
    public async Task<byte[]> SendAsync(HttpMethod method, string path, (string Body, string Type)? content, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(AnswerLimit);
        try
        {
            using var answer = await AnswerAsync(method, path, content, limit.Token);
            return await answer.Content.ReadAsByteArrayAsync(limit.Token);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer within {AnswerLimit.TotalSeconds:0} s", error);
        }
    }

    /// <summary>The body as it comes; no limit on how long that takes.</summary>
    public async Task<Stream> OpenAsync(string path, CancellationToken cancellation)
    {
        var answer = await AnswerAsync(HttpMethod.Get, path, null, cancellation);
        return await answer.Content.ReadAsStreamAsync(cancellation);
    }

    /// <summary>GET with one header more, whatever the answer is; the body as it comes.</summary>
    public async Task<HttpResponseMessage> AskAsync(string path, (string Name, string Value) header, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(client.BaseUri, path.TrimStart('/')));
        request.Headers.Add(header.Name, header.Value);
        if (client.Credentials is { } credentials)
        {
            await credentials.ProcessHttpRequestAsync(request, cancellation);
        }

        return await client.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    /// <summary>The same of an address elsewhere, without our credentials.</summary>
    public async Task<HttpResponseMessage> AskOutsideAsync(Uri address, (string Name, string Value) header, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Add(header.Name, header.Value);
        return await _outside.Value.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    private async Task<HttpResponseMessage> AnswerAsync(HttpMethod method, string path, (string Body, string Type)? content, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, new Uri(client.BaseUri, path.TrimStart('/'))) { Version = HttpVersion.Version20 };
            if (content is { } given)
            {
                request.Content = new StringContent(given.Body, Encoding.UTF8, new MediaTypeHeaderValue(given.Type));
            }

            if (client.Credentials is { } credentials)
            {
                await credentials.ProcessHttpRequestAsync(request, cancellation);
            }

            var answer = await client.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (answer.IsSuccessStatusCode)
            {
                return answer;
            }

            using (answer)
            {
                // A server that names a time has not done the request.
                if (answer.Headers.RetryAfter?.Delta is { } wait && wait <= LongestRetryAfter && attempt < MaxTries)
                {
                    await Task.Delay(wait, time, cancellation);
                    continue;
                }

                throw Refusal(answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellation));
            }
        }
    }

    internal static bool IsUnknownKind(string message) =>
        message.Contains("could not find the requested resource", StringComparison.Ordinal) || message.Contains("page not found", StringComparison.Ordinal);

    /// <summary>The message of a Status; null when the body is none.</summary>
    internal static string? MessageOf(string body) => Status(body)?.Message;

    private static ApiException Refusal(HttpStatusCode status, string body) =>
        Status(body) is var (reason, message)
            ? new ApiException(status, reason, message)
            // Not a Kubernetes answer: a proxy in between, or no API server at all.
            : new ApiException(status, "", body.Length is 0 or > 300 ? $"HTTP {(int)status}" : body);

    private static (string Reason, string Message)? Status(string body)
    {
        try
        {
            using var parsed = JsonDocument.Parse(body);
            return parsed.RootElement.ValueKind == JsonValueKind.Object && parsed.RootElement.TryGetProperty("message", out var message)
                ? (parsed.RootElement.TryGetProperty("reason", out var said) ? said.GetString() ?? "" : "", message.GetString() ?? "")
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
