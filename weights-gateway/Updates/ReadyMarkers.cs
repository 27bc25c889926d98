namespace Trestle.WeightsGateway.Updates;

/// <summary>Markers on a mounted path, or at an http address. Others can't be seen from here, for want of credentials.</summary>
public sealed class ReadyMarkers : IReadyMarkers, IDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };

    /// <inheritdoc/>
    public bool CanSee(string uri) => uri is ['/', ..] || (Uri.TryCreate(uri, UriKind.Absolute, out var address) && address.Scheme is "http" or "https");

    /// <inheritdoc/>
    public async Task<string?> WhyNotAsync(string uri, string marker, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(uri);
        var at = $"{uri.TrimEnd('/')}/{marker}";
        if (uri.StartsWith('/')) return File.Exists(at) ? null : $"{at} is not there yet";
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, at);
            using var answer = await _http.SendAsync(request, ct);
            return answer.IsSuccessStatusCode ? null : $"{at} is not there yet ({(int)answer.StatusCode})";
        }
        catch (Exception error) when (error is HttpRequestException || (error is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return $"{at} can't be asked for: {error.Message}";
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
