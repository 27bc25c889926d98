using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Launch;

/// <summary>
/// Tells each rank of an attempt of all the others: GET /rendezvous/UID/ATTEMPT/RANK with the rank's token as bearer waits up to
/// 25 s. 200: the environment as POSIX export lines; 204: not all ranks have addresses, ask again; 403: wrong token;
/// 410: there will be no answer, the body says why.
/// POST /heartbeat/UID/ATTEMPT/RANK?silent=S[&amp;untouched=S], seconds, with the same token, tells of a rank's life. 204: heard; 400: no such times; 403.
/// POST /mount/UID/ATTEMPT/RANK/MOUNT with a <see cref="MountReport"/>, with the same token, tells of a cache mount. 200: heard, the body is
/// the <see cref="Annotations.CommitCheckpoint"/> of the job; 204: heard; 400: no report; 403.
/// </summary>
public sealed class RendezvousServer(IObjectCache<TrainingJob> jobs, IObjectCache<PodView> pods, IObjectCache<JobGroup> groups, RendezvousKey key, TimeProvider time)
    : IAsyncDisposable
{
    /// <summary>Longest wait of one request; shorter than what proxies and clients allow.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(25);

    private const string RendezvousWord = "rendezvous";
    private const string HeartbeatWord = "heartbeat";
    private const string MountWord = "mount";
    private const int MostMounts = 64; // of a job that is not known yet
    private const double LongestTime = 1e9; // seconds; more is no time that anybody has waited
    private const string Bearer = "Bearer ";

    // The pods of a gang get their addresses in a burst: one look for all of them.
    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(20);

    private readonly AttemptReader _reader = new(jobs, pods, groups);
    private readonly Dictionary<(string Uid, int Attempt), Waiting> _waiting = [];
    private readonly CancellationTokenSource _stopped = new();
    private int _lookAhead;
    private WebApplication? _app;

    /// <summary>Requests that wait for an answer.</summary>
    public int WaitingRequests
    {
        get
        {
            lock (_waiting) return _waiting.Values.Sum(waiting => waiting.Requests);
        }
    }

    /// <summary>What the ranks tell of their life.</summary>
    public Heartbeats Heartbeats { get; } = new(time);

    /// <summary>What the mounts of the ranks tell of themselves.</summary>
    public MountReports Mounts { get; } = new(time);

    /// <summary>Where a rank asks, behind the server's address.</summary>
    public static string Path(string uid, int attempt, int rank) => Path(RendezvousWord, uid, attempt, rank);

    /// <summary>Where a rank tells of its life, behind the server's address.</summary>
    public static string HeartbeatPath(string uid, int attempt, int rank) => Path(HeartbeatWord, uid, attempt, rank);

    /// <summary>Where a mount of a rank tells of itself, behind the server's address.</summary>
    public static string MountPath(string uid, int attempt, int rank, int mount) => string.Create(CultureInfo.InvariantCulture, $"{Path(MountWord, uid, attempt, rank)}/{mount}");

    /// <summary>Listens; gives the address with the port it got.</summary>
    /// <param name="listen">E.g. http://127.0.0.1:0 or http://0.0.0.0:8090.</param>
    /// <param name="ct">Ends the start.</param>
    public async Task<string> StartAsync(string listen, CancellationToken ct = default)
    {
        _app = await HttpEndpoint.StartAsync(listen, AnswerAsync, ct);
        return _app.Urls.First();
    }

    /// <summary>Some pod changed. Cheap: the waiting attempts are looked at once for many changes.</summary>
    public void PodChanged()
    {
        if (Interlocked.Exchange(ref _lookAhead, 1) == 0) _ = LookAsync();
    }

    /// <summary>Ends the waiting requests and stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        if (_app is not null) await _app.DisposeAsync();
    }

    private async Task LookAsync()
    {
        await Task.Delay(Burst, time, CancellationToken.None);
        Interlocked.Exchange(ref _lookAhead, 0);
        KeyValuePair<(string Uid, int Attempt), Waiting>[] all;
        lock (_waiting) all = [.. _waiting];
        foreach (var ((uid, attempt), waiting) in all)
        {
            if (_reader.Read(uid, attempt) is { IsDecided: true } decided) waiting.Decided.TrySetResult(decided);
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (!TryRead(request.Path, out var word, out var uid, out var attempt, out var rank, out var mount) || request.Method != (word == RendezvousWord ? HttpMethods.Get : HttpMethods.Post))
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (!key.Verify(Token(request), uid, attempt, rank)) await SayAsync(response, StatusCodes.Status403Forbidden, "the token is not that of this rank");
        else if (word == HeartbeatWord) await HearAsync(context, uid, attempt, rank);
        else if (word == MountWord) await HearMountAsync(context, uid, attempt, rank, mount);
        else await TellAsync(context, uid, attempt, rank);
    }

    private Task HearAsync(HttpContext context, string uid, int attempt, int rank)
    {
        var query = context.Request.Query;
        var untouched = query.ContainsKey("untouched") ? Seconds(query["untouched"]) : null;
        if (Seconds(query["silent"]) is not { } silent || (query.ContainsKey("untouched") && untouched is null))
            return SayAsync(context.Response, StatusCodes.Status400BadRequest, "silent and untouched are seconds, 0 or more");
        Heartbeats.Record(uid, attempt, rank, silent, untouched);
        return SayAsync(context.Response, StatusCodes.Status204NoContent, "");
    }

    private async Task HearMountAsync(HttpContext context, string uid, int attempt, int rank, int mount)
    {
        var body = new byte[MountReport.MaxSize + 1];
        var size = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, context.RequestAborted);
        if (size > MountReport.MaxSize || MountReport.FromJson(body.AsSpan(0, size)) is not { } report)
        {
            await SayAsync(context.Response, StatusCodes.Status400BadRequest, "the body is no report of a mount");
            return;
        }

        var job = _reader.Find(uid);
        if (mount >= (job?.Spec.Mounts?.Count ?? MostMounts))
        {
            await SayAsync(context.Response, StatusCodes.Status404NotFound, "the job has no such mount");
            return;
        }

        Mounts.Record(uid, attempt, rank, mount, report);
        var commit = job?.Metadata.Annotations?.TryGetValue(Annotations.CommitCheckpoint, out var asked) == true ? asked : null;
        await SayAsync(context.Response, commit is null ? StatusCodes.Status204NoContent : StatusCodes.Status200OK, commit ?? "");
    }

    private static TimeSpan? Seconds(string? text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= LongestTime ? TimeSpan.FromSeconds(seconds) : null;

    private async Task TellAsync(HttpContext context, string uid, int attempt, int rank)
    {
        var response = context.Response;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopped.Token);
        var gathering = await DecidedAsync(uid, attempt, ended.Token);
        await (gathering switch
        {
            { Facts: { } facts } when rank < facts.Addresses.Count => SayAsync(response, StatusCodes.Status200OK, LaunchEnvironment.Render(LaunchEnvironment.Build(facts, rank))),
            { Over: { } why } => SayAsync(response, StatusCodes.Status410Gone, why),
            { Facts: not null } => SayAsync(response, StatusCodes.Status410Gone, "the job has fewer ranks"),
            _ => SayAsync(response, StatusCodes.Status204NoContent, ""),
        });
    }

    private async Task<Gathering> DecidedAsync(string uid, int attempt, CancellationToken ct)
    {
        var waiting = Join((uid, attempt));
        try
        {
            // Looked at after joining, so that no change falls between.
            var now = _reader.Read(uid, attempt);
            return now.IsDecided ? now : await waiting.Decided.Task.WaitAsync(LongestWait, time, ct);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            return Gathering.Incomplete;
        }
        finally
        {
            Leave((uid, attempt), waiting);
        }
    }

    private Waiting Join((string Uid, int Attempt) attempt)
    {
        lock (_waiting)
        {
            if (!_waiting.TryGetValue(attempt, out var waiting)) _waiting[attempt] = waiting = new Waiting();
            waiting.Requests++;
            return waiting;
        }
    }

    private void Leave((string Uid, int Attempt) attempt, Waiting waiting)
    {
        lock (_waiting)
        {
            if (--waiting.Requests == 0) _waiting.Remove(attempt);
        }
    }

    private static string? Token(HttpRequest request) =>
        request.Headers.Authorization.ToString() is { } header && header.StartsWith(Bearer, StringComparison.Ordinal) ? header[Bearer.Length..] : null;

    private static string Path(string word, string uid, int attempt, int rank) => string.Create(CultureInfo.InvariantCulture, $"/{word}/{uid}/{attempt}/{rank}");

    private static bool TryRead(PathString path, out string word, out string uid, out int attempt, out int rank, out int mount)
    {
        (word, uid, attempt, rank, mount) = ("", "", 0, 0, 0);
        if ((path.Value ?? "").Split('/') is not ["", (RendezvousWord or HeartbeatWord or MountWord) and var asked, var id, var number, var place, .. var rest]) return false;
        (word, uid) = (asked, id);
        return id.Length > 0
            && IsNumber(number, out attempt)
            && IsNumber(place, out rank)
            && (asked == MountWord ? rest is [var index] && IsNumber(index, out mount) : rest.Length == 0);
    }

    private static bool IsNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static Task SayAsync(HttpResponse response, int status, string text)
    {
        response.StatusCode = status;
        if (status == StatusCodes.Status204NoContent) return Task.CompletedTask;
        response.ContentType = "text/plain; charset=utf-8";
        return response.WriteAsync(text);
    }

    /// <summary>The requests of one attempt.</summary>
    private sealed class Waiting
    {
        public TaskCompletionSource<Gathering> Decided { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Requests { get; set; }
    }
}
