using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;
using Trestle.Api.Launch;
using Trestle.CacheMount;
using Trestle.CacheMount.Checkpoints;
using Trestle.CacheMount.Control;
using Trestle.CacheMount.Stores;

namespace Trestle.Node;

/// <summary>Who a mount tells of itself, and who asks it.</summary>
/// <param name="Report">Where the operator listens.</param>
/// <param name="TokenFile">The token of the rank.</param>
/// <param name="FlushRequest">A file that launch.sh makes when the user's code has ended.</param>
/// <param name="FlushAnswer">The file it then waits for.</param>
internal sealed record MountAudience(Uri Report, string TokenFile, string FlushRequest, string FlushAnswer);

/// <summary>
/// What a mount does for a job: it tells the operator of itself every few seconds and when something happens, commits checkpoints that it
/// is told to, and answers launch.sh when everything that was written is in the store.
/// </summary>
internal sealed class MountSidecar(CachedMount mount, IObjectStore store, Arrivals? arrivals, MountAudience audience, TimeProvider time, ILogger log) : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly PublishedCheckpoints _checkpoints = new(mount, time);
    private readonly Throughput _throughput = new(time);
    private MountReport? _told;
    private long _toldAt;
    private string? _committed;
    private string? _trouble;
    private Task? _flush;

    /// <summary>Goes on until told to end.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Look, time);
        do
        {
            if (_flush is null && File.Exists(audience.FlushRequest)) _flush = FlushAsync(ct);
            var report = Report();
            if (_told is null || time.GetElapsedTime(_toldAt) >= Every || IsNews(_told, report)) await TellAsync(report, ct);
        }
        while (await NextAsync(timer, ct));
    }

    /// <summary>Tells the operator how it is now.</summary>
    public Task TellAsync(CancellationToken ct) => TellAsync(Report(), ct);

    public void Dispose() => _http.Dispose();

    // Ends when everything is in the store, however long that takes: a job that has succeeded has nothing to lose any more.
    private async Task FlushAsync(CancellationToken ct)
    {
        try
        {
            await mount.FlushAsync(ct);
            var refusal = MountStatus.Of(mount, store) is { Refused.Count: > 0 } status ? status.NotDurable() : null;
            await TellAsync(ct);
            var made = audience.FlushAnswer + ".new";
            await File.WriteAllTextAsync(made, refusal is null ? "" : refusal + "\n", ct);
            File.Move(made, audience.FlushAnswer, overwrite: true);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Told to end.
        }
    }

    private MountReport Report()
    {
        var status = MountStatus.Of(mount, store);
        return new MountReport
        {
            PendingFiles = status.PendingFiles,
            PendingBytes = status.PendingBytes,
            PendingCheckpoints = status.PendingCheckpoints.Count,
            BytesPerSecond = _throughput.Of(status.StoredBytes),
            Checkpoints = _checkpoints.Newest(MountReport.MaxCheckpoints),
            IsLast = _flush is not null,
            Trouble = Short(arrivals?.Trouble ?? status.Trouble ?? (status.Refused.Count > 0 ? status.NotDurable() : null) ?? (status.Space.IsFull ? $"the cache is full of files that are not in {status.Store} yet; write less often, or give the storage a larger cache.size" : null)),
        };
    }

    private static bool IsNews(MountReport before, MountReport now) =>
        (before.IsDurable, before.IsLast, before.Trouble, before.Checkpoints.Count) != (now.IsDurable, now.IsLast, now.Trouble, now.Checkpoints.Count)
        || (now.Checkpoints is [var newest, ..] && newest != before.Checkpoints[0]);

    // Whatever is wrong is the operator's or the network's business, and none of the mount's.
    private async Task TellAsync(MountReport report, CancellationToken ct)
    {
        (_told, _toldAt) = (report, time.GetTimestamp());
        var trouble = await SendAsync(report, ct);
        if (trouble is not null && trouble != _trouble) SidecarLog.CannotTell(log, audience.Report.GetLeftPart(UriPartial.Authority), trouble);
        _trouble = trouble;
    }

    private async Task<string?> SendAsync(MountReport report, CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, audience.Report) { Content = new ByteArrayContent(report.ToJson()) };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(audience.TokenFile, ct)).Trim());
            using var answer = await _http.SendAsync(request, ct);
            if (answer.StatusCode == HttpStatusCode.OK) await CommitAsync(await answer.Content.ReadAsStringAsync(ct));
            return answer.IsSuccessStatusCode ? null : string.Create(CultureInfo.InvariantCulture, $"it answered {(int)answer.StatusCode}");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            return ct.IsCancellationRequested ? null : error.Message;
        }
    }

    // PATH@TIME: the same again is the same wish.
    private async Task CommitAsync(string wish)
    {
        if (wish == _committed || wish.LastIndexOf('@') is not (> 0 and var at)) return;
        _committed = wish;
        var path = wish[..at].Trim('/');
        if (!Manifest.IsSafe(path) || !await mount.Front.CommitAsync(path)) SidecarLog.NothingToCommit(log, path);
        else SidecarLog.Committing(log, path);
    }

    private static string? Short(string? text) => text is { Length: > 500 } ? text[..500] : text;

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken ct)
    {
        try
        {
            return await timer.WaitForNextTickAsync(ct);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}

/// <summary>Log lines of the sidecar.</summary>
internal static partial class SidecarLog
{
    [LoggerMessage(350, LogLevel.Warning, "can't tell the operator at {Url} of this mount ({Message}); it goes on")]
    public static partial void CannotTell(ILogger log, string url, string message);

    [LoggerMessage(351, LogLevel.Information, "{Path} is committed as a checkpoint; it is durable when its manifest is in the store")]
    public static partial void Committing(ILogger log, string path);

    [LoggerMessage(352, LogLevel.Warning, "there is no {Path} to commit as a checkpoint")]
    public static partial void NothingToCommit(ILogger log, string path);
}
