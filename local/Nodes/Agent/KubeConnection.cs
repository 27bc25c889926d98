using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using k8s;

namespace Trestle.Local.Nodes.Agent;

/// <summary>Plain HTTP to the Kubernetes API of a kubeconfig. An answer other than success throws <see cref="KubeAnswerException"/>.</summary>
public sealed class KubeConnection : IDisposable
{
    private readonly HttpClient _http;

    private KubeConnection(HttpClient http) => _http = http;

    /// <summary>Address of the API server.</summary>
    public Uri Address => _http.BaseAddress!;

    /// <summary>Reads a kubeconfig (token and certificate authority).</summary>
    public static KubeConnection Open(string kubeconfig)
    {
        var config = KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig);
        var handler = new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(10), KeepAlivePingDelay = TimeSpan.FromSeconds(30), KeepAlivePingTimeout = TimeSpan.FromSeconds(15), EnableMultipleHttp2Connections = true };
        if (config.SslCaCerts is { Count: > 0 } authorities) handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        foreach (var authority in config.SslCaCerts ?? []) handler.SslOptions.CertificateChainPolicy!.CustomTrustStore.Add(authority);
        handler.SslOptions.EncryptionPolicy = EncryptionPolicy.RequireEncryption;
        var http = new HttpClient(handler) { BaseAddress = new Uri(config.Host), Timeout = Timeout.InfiniteTimeSpan, DefaultRequestVersion = new Version(2, 0), DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        if (config.AccessToken is { Length: > 0 } token) http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        http.DefaultRequestHeaders.UserAgent.ParseAdd("trestle-nodes/0.1");
        return new KubeConnection(http);
    }

    /// <summary>GET; null when there is no such object.</summary>
    public async Task<JsonObject?> FindAsync(string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var answer = await _http.SendAsync(request, Limit(ct, out var limit));
        using (limit)
        {
            if (answer.StatusCode == System.Net.HttpStatusCode.NotFound) return null;
            return await BodyAsync(answer, ct);
        }
    }

    /// <summary>Any other request with a JSON body.</summary>
    public Task<JsonObject> SendAsync(HttpMethod method, string path, JsonNode body, CancellationToken ct, string type = "application/json") => SendTextAsync(method, path, body.ToJsonString(), type, ct);

    /// <summary>A request whose body is text of the given media type.</summary>
    public async Task<JsonObject> SendTextAsync(HttpMethod method, string path, string body, string type, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = new StringContent(body, System.Text.Encoding.UTF8, type);
        using var answer = await _http.SendAsync(request, Limit(ct, out var limit));
        using (limit) return await BodyAsync(answer, ct);
    }

    /// <summary>JSON merge patch.</summary>
    public Task<JsonObject> MergeAsync(string path, JsonNode patch, CancellationToken ct) => SendAsync(HttpMethod.Patch, path, patch, ct, "application/merge-patch+json");

    /// <summary>GET whose answer is read as it comes.</summary>
    public async Task<HttpResponseMessage> StreamAsync(string path, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (answer.IsSuccessStatusCode) return answer;
        using (answer) throw await RefusedAsync(answer, ct);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static CancellationToken Limit(CancellationToken ct, out CancellationTokenSource limit)
    {
        limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        return limit.Token;
    }

    private static async Task<JsonObject> BodyAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        if (!answer.IsSuccessStatusCode) throw await RefusedAsync(answer, ct);
        await using var body = await answer.Content.ReadAsStreamAsync(ct);
        return (await JsonNode.ParseAsync(body, cancellationToken: ct))!.AsObject();
    }

    private static async Task<KubeAnswerException> RefusedAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        var text = await answer.Content.ReadAsStringAsync(ct);
        string? message = null;
        string? reason = null;
        try
        {
            var status = JsonNode.Parse(text)?.AsObject();
            message = (string?)status?["message"];
            reason = (string?)status?["reason"];
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException)
        {
            message = text;
        }

        return new KubeAnswerException((int)answer.StatusCode, reason ?? "", message ?? $"the API server answered {(int)answer.StatusCode}");
    }
}

/// <summary>The API server refused a request.</summary>
public sealed class KubeAnswerException(int code, string reason, string message) : Exception(message)
{
    /// <summary>HTTP status.</summary>
    public int Code => code;

    /// <summary>Reason of the Status object.</summary>
    public string Reason => reason;
}
