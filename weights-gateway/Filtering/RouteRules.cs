using Trestle.WeightsGateway.Engines;

namespace Trestle.WeightsGateway.Filtering;

/// <summary>Which paths the outside may ask for. Only plain paths pass: what an engine could read in two ways is refused. Pure.</summary>
public static class RouteRules
{
    private const int LongestPath = 1024;

    private static readonly HashSet<string> Public = new(StringComparer.Ordinal)
    {
        "/health", "/ping", "/version", "/load", "/metrics", "/tokenize", "/detokenize", "/invocations", "/pooling", "/classify", "/score", "/rerank", "/v2/rerank",
    };

    // Under /v1 and yet they change what is served.
    private static readonly HashSet<string> Changing = new(StringComparer.Ordinal) { "/v1/load_lora_adapter", "/v1/unload_lora_adapter" };

    /// <summary>Whether anybody may ask.</summary>
    /// <param name="target">Target of the request line, with its query, undecoded.</param>
    public static bool IsPublic(string target)
    {
        var path = Path(target);
        return IsPlain(path) && !Changing.Contains(path) && (Public.Contains(path) || (path.StartsWith("/v1/", StringComparison.Ordinal) && path.Length > 4));
    }

    /// <summary>Whether the gateway may ask.</summary>
    /// <param name="target">Target of the request line, with its query, undecoded.</param>
    public static bool IsControl(string target)
    {
        var path = Path(target);
        return IsPlain(path) && EngineRoutes.Control.Contains(path);
    }

    private static string Path(string target)
    {
        ArgumentNullException.ThrowIfNull(target);
        var query = target.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? target : target[..query];
    }

    private static bool IsPlain(string path) =>
        path.Length is > 1 and <= LongestPath && path[0] == '/' && path.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '/' or '_' or '-' or '.' or ':')
        && Array.TrueForAll(path[1..].Split('/'), part => part is not ("" or "." or ".."));
}
