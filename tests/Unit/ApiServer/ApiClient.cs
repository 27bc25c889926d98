using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer.Tests;

/// <summary>Speaks plain HTTP to a server under test, as any client would.</summary>
internal sealed class ApiClient : IDisposable
{
    private readonly HttpClient _http;

    public ApiClient(RunningApiServer server, string? token = null)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { server.CaCertificate },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        _http = new HttpClient(handler) { BaseAddress = server.Uri, Timeout = Timeout.InfiniteTimeSpan };
        token ??= server.AdminToken;
        if (token.Length > 0) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public HttpClient Http => _http;

    public async Task<HttpResponseMessage> SendAsync(string method, string url, string? body = null, string contentType = "application/json", string? userAgent = null, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), url);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        if (userAgent is not null) request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        return await _http.SendAsync(request, completion, TestContext.Current.CancellationToken);
    }

    /// <summary>Sends and requires success.</summary>
    public async Task<JsonObject> JsonAsync(string method, string url, JsonNode? body = null, string contentType = "application/json", string? userAgent = null)
    {
        using var response = await SendAsync(method, url, body?.ToJsonString(), contentType, userAgent);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        response.IsSuccessStatusCode.ShouldBeTrue($"{method} {url} answered {(int)response.StatusCode}: {text}");
        return (JsonObject)JsonNode.Parse(text)!;
    }

    public async Task<(int Status, JsonObject Body)> TryAsync(string method, string url, JsonNode? body = null, string contentType = "application/json")
    {
        using var response = await SendAsync(method, url, body?.ToJsonString(), contentType);
        return ((int)response.StatusCode, (JsonObject)JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
    }

    /// <summary>Asks until the answer is as expected; the test's own time limit ends it.</summary>
    public async Task UntilAsync(string url, Func<int, JsonObject, bool> isDone)
    {
        while (true)
        {
            var (status, body) = await TryAsync("GET", url);
            if (isDone(status, body)) return;
            await Task.Yield();
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The lines of a watch, one by one.</summary>
    public async IAsyncEnumerable<JsonObject> WatchAsync(string url)
    {
        using var response = await SendAsync("GET", url, completion: HttpCompletionOption.ResponseHeadersRead);
        response.IsSuccessStatusCode.ShouldBeTrue();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line) yield return (JsonObject)JsonNode.Parse(line)!;
    }

    public void Dispose() => _http.Dispose();
}
