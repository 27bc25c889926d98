using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Trestle.Testing;

/// <summary>The few requests that benchmarks and fixtures make, straight over HTTP, as no client library would see them.</summary>
public static class ApiCalls
{
    public const string Jobs = "apis/trestle.dev/v1alpha1/namespaces/default/trainingjobs";
    public const string Pods = "api/v1/namespaces/default/pods";

    /// <summary>POST, or an exception with the server's sentence.</summary>
    public static async Task CreateAsync(this HttpClient api, string path, JsonNode value, CancellationToken ct = default)
    {
        using var answer = await api.PostAsJsonAsync(new Uri(path, UriKind.Relative), value, ct);
        await CheckAsync(answer, path, ct);
    }

    /// <summary>GET; null when there is no such thing.</summary>
    public static async Task<JsonNode?> ReadAsync(this HttpClient api, string path, CancellationToken ct = default)
    {
        using var answer = await api.GetAsync(new Uri(path, UriKind.Relative), ct);
        if (answer.StatusCode == HttpStatusCode.NotFound) return null;
        await CheckAsync(answer, path, ct);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(ct));
    }

    /// <summary>A merge patch.</summary>
    public static async Task MergeAsync(this HttpClient api, string path, string patch, CancellationToken ct = default)
    {
        using var content = new StringContent(patch, Encoding.UTF8, "application/merge-patch+json");
        using var answer = await api.PatchAsync(new Uri(path, UriKind.Relative), content, ct);
        await CheckAsync(answer, path, ct);
    }

    /// <summary>DELETE of an object, or of all in a collection.</summary>
    public static async Task DeleteAsync(this HttpClient api, string path, CancellationToken ct = default)
    {
        using var answer = await api.DeleteAsync(new Uri(path, UriKind.Relative), ct);
        await CheckAsync(answer, path, ct);
    }

    /// <summary>Lines of an answer that goes on: a watch, or a log that is followed. Complete once the server has begun to answer.</summary>
    public static async Task<StreamReader> OpenAsync(this HttpClient api, string path, CancellationToken ct)
    {
        var answer = await api.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, ct);
        await CheckAsync(answer, path, ct);
        return new StreamReader(await answer.Content.ReadAsStreamAsync(ct));
    }

    /// <summary>Events of a watch from the beginning on, until the server ends it.</summary>
    public static async IAsyncEnumerable<JsonNode> WatchAsync(this HttpClient api, string path, [EnumeratorCancellation] CancellationToken ct)
    {
        using var lines = await api.OpenAsync($"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}watch=true", ct);
        while (await lines.ReadLineAsync(ct) is { } line) yield return JsonNode.Parse(line)!;
    }

    private static async Task CheckAsync(HttpResponseMessage answer, string path, CancellationToken ct)
    {
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{answer.RequestMessage?.Method} {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(ct)}");
    }
}
