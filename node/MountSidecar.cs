using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;
using Trestle.Api.Launch;
using Trestle.CacheMount;
using Trestle.CacheMount.Checkpoints;
using Trestle.CacheMount.Control;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Stores;

namespace Trestle.Node;

/// <summary>Who a mount tells of itself, and who asks it.</summary>
/// <param name="FlushRequest">A file that launch.sh makes when the user's code has ended.</param>
/// <param name="FlushAnswer">The file it then waits for.</param>
internal sealed record MountAudience(string FlushRequest, string FlushAnswer)
{
    /// <summary>Where the operator listens, and the file with the token of the rank; null where it can't be reached.</summary>
    public (Uri Url, string TokenFile)? Operator { get; init; }

    /// <summary>A file for the newest durable checkpoint, as seconds since 1970 and its name; null for none.</summary>
    public string? Durable { get; init; }

    /// <summary>A file that, when it is made, ends the mount as TERM does; TERM does not then. Null: TERM does.</summary>
    public string? EndRequest { get; init; }
}

/// <summary>
/// What a mount does for a job: it tells the operator of itself every few seconds and when something happens, commits checkpoints that it
/// is told to, and answers launch.sh when everything that was written is in the store.
/// </summary>
internal sealed class MountSidecar(CachedMount mount, IObjectStore store, Arrivals? arrivals, MountAudience audience, TimeProvider time, ILogger log) : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly PublishedCheckpoints _checkpoints = new(mount, time);
    private readonly string _committedFile = Path.Combine(mount.State, "committed");
    private readonly Throughput _throughput = new(time);
    private MountReport? _told;
    private long _toldAt;
    private string? _committed;
    private string? _trouble;
    private Task? _flush;
    private bool _hasAnswered;

    /// <summary>Called when <see cref="MountAudience.EndRequest"/> is there.</summary>
    public Action EndRequested { get; init; } = () => { };

    /// <summary>Goes on until told to end.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Look, time);
        do
        {
            try
            {
                await LookAsync(ct);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or OperationCanceledException)
            {
                if (!ct.IsCancellationRequested) SidecarLog.NotDone(log, error.Message); // it is tried again
            }
        }
        while (await NextAsync(timer, ct));
    }

    private async Task LookAsync(CancellationToken ct)
    {
        if (audience.EndRequest is { } end && File.Exists(end)) EndRequested();
        if (_flush is null && File.Exists(audience.FlushRequest)) _flush = mount.FinishAsync(ct);
        if (_flush is { IsFaulted: true } failed)
        {
            _flush = null;
            await failed;
        }

        if (_flush is { IsCompletedSuccessfully: true } && !_hasAnswered) await AnswerAsync(ct);
        var report = Report();
        if (_told is null || time.GetElapsedTime(_toldAt) >= Every || report.IsNewsAfter(_told)) await TellAsync(report, ct);
    }

    /// <summary>Tells how it was at the end, when <see cref="RunAsync"/> has ended.</summary>
    public Task TellLastAsync() => TellAsync(Report(), CancellationToken.None);

    public void Dispose() => _http.Dispose();

    // Everything is in the store, however long that took: a job that has succeeded has nothing to lose any more. The operator hears of it first.
    private async Task AnswerAsync(CancellationToken ct)
    {
        var refusal = MountStatus.Of(mount, store) is { Refused.Count: > 0 } status ? status.NotDurable() : null;
        await TellAsync(Report(), ct);
        await WriteAsync(audience.FlushAnswer, refusal is null ? "" : refusal + "\n", ct);
        _hasAnswered = true;
    }

    private static async Task WriteAsync(string file, string text, CancellationToken ct)
    {
        await File.WriteAllTextAsync(file + ".new", text, ct);
        File.Move(file + ".new", file, overwrite: true);
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
            Conflict = Short(status.Conflict()),
            Trouble = Short(arrivals?.Trouble ?? status.Trouble ?? (status.Refused.Count > 0 ? status.NotDurable() : null) ?? (status.Space.IsFull ? $"the cache is full of files that are not in {status.Store} yet; write less often, or give the storage a larger cache.size" : null)),
        };
    }

    // Whatever is wrong is the operator's or the network's business, and none of the mount's.
    private async Task TellAsync(MountReport report, CancellationToken ct)
    {
        (_told, _toldAt) = (report, time.GetTimestamp());
        if (audience.Durable is { } file && report.Checkpoints is [var newest, ..]) await WriteAsync(file, string.Create(CultureInfo.InvariantCulture, $"{newest.DurableAt.ToUnixTimeSeconds()} {newest.Name}\n"), ct);
        if (audience.Operator is not { } listener) return;
        var trouble = await SendAsync(listener.Url, listener.TokenFile, report, ct);
        if (trouble is not null && trouble != _trouble) SidecarLog.CannotTell(log, listener.Url.GetLeftPart(UriPartial.Authority), trouble);
        _trouble = trouble;
    }

    private async Task<string?> SendAsync(Uri url, string tokenFile, MountReport report, CancellationToken ct)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(report.ToJson()) };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(tokenFile, ct)).Trim());
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
        _committed ??= File.Exists(_committedFile) ? await File.ReadAllTextAsync(_committedFile, CancellationToken.None) : "";
        if (wish == _committed || wish.LastIndexOf('@') is not (> 0 and var at)) return;
        var path = wish[..at].Trim('/');
        if (!NameRules.IsSafe(path) || !await mount.Front.CommitAsync(path)) SidecarLog.NothingToCommit(log, path);
        else SidecarLog.Committing(log, path);
        // The journal has it. One who is killed and served again does not list what was begun anew since.
        _committed = wish;
        await WriteAsync(_committedFile, wish, CancellationToken.None);
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

    [LoggerMessage(353, LogLevel.Warning, "{Message}; it is tried again")]
    public static partial void NotDone(ILogger log, string message);

    [LoggerMessage(351, LogLevel.Information, "{Path} is committed as a checkpoint; it is durable when its manifest is in the store")]
    public static partial void Committing(ILogger log, string path);

    [LoggerMessage(352, LogLevel.Warning, "there is no {Path} to commit as a checkpoint")]
    public static partial void NothingToCommit(ILogger log, string path);
}
