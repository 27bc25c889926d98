namespace Trestle.Runtime;

/// <summary>Asks an API server what it has.</summary>
public interface IApiDiscovery
{
    /// <summary>Resource names, e.g. podgroups, of a version of a group; none when the server hasn't got it.</summary>
    /// <exception cref="KubeApiException">The server refuses to tell.</exception>
    /// <exception cref="HttpRequestException">It can't be reached.</exception>
    Task<IReadOnlySet<string>> ResourcesAsync(string group, string version, CancellationToken ct);
}
