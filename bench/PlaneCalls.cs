using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.Bench;

/// <summary>The few requests that the benchmarks make, straight over HTTP: what is measured is the server, not a client library.</summary>
internal static class PlaneCalls
{
    public const string Jobs = "apis/trestle.dev/v1alpha1/namespaces/default/trainingjobs";
    public const string Pods = "api/v1/namespaces/default/pods";

    /// <summary>POST, or an exception with the server's sentence.</summary>
    public static async Task CreateAsync(this LocalPlane plane, string path, JsonNode value, CancellationToken ct = default)
    {
        using var answer = await plane.Http.PostAsJsonAsync(new Uri(path, UriKind.Relative), value, ct);
        await CheckAsync(answer, path, ct);
    }

    /// <summary>A merge patch.</summary>
    public static async Task MergeAsync(this LocalPlane plane, string path, string patch, CancellationToken ct = default)
    {
        using var content = new StringContent(patch, Encoding.UTF8, "application/merge-patch+json");
        using var answer = await plane.Http.PatchAsync(new Uri(path, UriKind.Relative), content, ct);
        await CheckAsync(answer, path, ct);
    }

    /// <summary>DELETE of an object, or of all in a collection.</summary>
    public static async Task DeleteAsync(this LocalPlane plane, string path, CancellationToken ct = default)
    {
        using var answer = await plane.Http.DeleteAsync(new Uri(path, UriKind.Relative), ct);
        await CheckAsync(answer, path, ct);
    }

    /// <summary>Lines of an answer that goes on: a watch, or a log that is followed. Complete once the server has begun to answer.</summary>
    public static async Task<StreamReader> OpenAsync(this LocalPlane plane, string path, CancellationToken ct)
    {
        var answer = await plane.Http.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, ct);
        await CheckAsync(answer, path, ct);
        return new StreamReader(await answer.Content.ReadAsStreamAsync(ct));
    }

    /// <summary>Events of a watch from the beginning on, until the server ends it.</summary>
    public static async IAsyncEnumerable<JsonNode> WatchAsync(this LocalPlane plane, string path, [EnumeratorCancellation] CancellationToken ct)
    {
        using var lines = await plane.OpenAsync($"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}watch=true", ct);
        while (await lines.ReadLineAsync(ct) is { } line) yield return JsonNode.Parse(line)!;
    }

    private static async Task CheckAsync(HttpResponseMessage answer, string path, CancellationToken ct)
    {
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{answer.RequestMessage?.Method} {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(ct)}");
    }
}
