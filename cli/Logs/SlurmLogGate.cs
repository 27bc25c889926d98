using System.Globalization;
using System.Net;
using Trestle.Api.Launch;
using Trestle.Cli.Connection;

namespace Trestle.Cli.Logs;

/// <summary>A log from an offset on.</summary>
/// <param name="Offset">Where it begins, in bytes.</param>
/// <param name="Body">The bytes, as they come.</param>
internal sealed record SlurmLogPart(long Offset, Stream Body);

/// <summary>
/// The way to the logs of Slurm jobs: the Slurm bridge serves them to whoever has a token of the namespace's log account. The account says
/// where the bridge is; the API server gives out the token to those who may have it.
/// </summary>
internal sealed class SlurmLogGate(Cluster cluster, string ns, TimeProvider time)
{
    private const string ThroughTheApi = "/api/";
    private const int MaxTries = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan TokenTime = TimeSpan.FromMinutes(10);
    private readonly Lock _lock = new();
    private Task<(string Place, string Token)>? _pass;
    private long _madeAt;

    /// <summary>Null when there is no such log yet.</summary>
    /// <param name="job">The SlurmJob.</param>
    /// <param name="place">A rank, or "job" for the batch script's own.</param>
    /// <param name="query">Which part.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<SlurmLogPart?> OpenAsync(string job, string place, string query, CancellationToken cancellation)
    {
        for (var tries = 1; ; tries++)
        {
            var (at, token) = await PassAsync(cancellation);
            var address = $"{at.TrimEnd('/')}/logs/{Uri.EscapeDataString(ns)}/{Uri.EscapeDataString(job)}/{place}?{query}";
            var answer = at.StartsWith(ThroughTheApi, StringComparison.Ordinal)
                ? await cluster.AskAsync(address, (Names.LogTokenHeader, token), cancellation)
                : await cluster.AskOutsideAsync(Outside(address), (Names.LogTokenHeader, token), cancellation);
            switch (answer.StatusCode)
            {
                case HttpStatusCode.OK:
                    var offset = answer.Headers.TryGetValues(Names.LogOffsetHeader, out var values) && long.TryParse(values.First(), NumberStyles.None, CultureInfo.InvariantCulture, out var begin) ? begin : 0;
                    return new SlurmLogPart(offset, await answer.Content.ReadAsStreamAsync(cancellation));
                case HttpStatusCode.NotFound:
                    answer.Dispose();
                    return null;
                // Another replica of the bridge serves the cluster: the next connection may meet it.
                case HttpStatusCode.MisdirectedRequest when tries < MaxTries:
                    answer.Dispose();
                    await Task.Delay(Pause, time, cancellation);
                    break;
                default:
                    throw await RefusalAsync(answer, cancellation);
            }
        }
    }

    // All ranks share one token, made anew when half of its time is over.
    private Task<(string Place, string Token)> PassAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (_pass is null or { IsFaulted: true } or { IsCanceled: true } || time.GetElapsedTime(_madeAt) > TokenTime / 2)
            {
                (_pass, _madeAt) = (NewPassAsync(cancellation), time.GetTimestamp());
            }

            return _pass;
        }
    }

    private async Task<(string Place, string Token)> NewPassAsync(CancellationToken cancellation)
    {
        var place = await cluster.LogPlaceAsync(ns, cancellation)
            ?? throw new CliException($"no Slurm bridge has offered the logs of namespace {ns} yet; is one running? Ask with: kubectl get slurmclusters") { IsPassing = true };
        return (place, await cluster.LogTokenAsync(ns, TokenTime, cancellation));
    }

    // A token travels in the clear on this machine alone.
    private static Uri Outside(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
            ? uri
            : throw new CliException($"the log account points to {address}, which is neither https nor on this machine; the bridge's setting logs-at must be changed");

    // The bridge answers with a line, the API server before it with a Status.
    private static string Sentence(string body, HttpStatusCode status)
    {
        var text = body.StartsWith('{') ? ApiConnection.MessageOf(body) ?? "" : body;
        return text.Length is 0 or > 300 ? $"HTTP {(int)status}" : Output.Printable.Line(text.Trim());
    }

    private static async Task<CliException> RefusalAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        using (answer)
        {
            var said = Sentence(await answer.Content.ReadAsStringAsync(cancellation), answer.StatusCode);
            return answer.StatusCode == HttpStatusCode.Forbidden
                ? new CliException($"you may not read this log: {said}", ExitCode.Forbidden)
                : new CliException($"the log can't be read from Slurm now: {said}; try again") { IsPassing = answer.StatusCode >= HttpStatusCode.InternalServerError || answer.StatusCode is HttpStatusCode.MisdirectedRequest or HttpStatusCode.TooManyRequests };
        }
    }
}
