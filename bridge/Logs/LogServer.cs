using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Clusters;
using Trestle.Bridge.Login;
using Trestle.Bridge.Slurm;
using Trestle.Runtime;

namespace Trestle.Bridge.Logs;

/// <summary>
/// GET /logs/NAMESPACE/SLURMJOB/RANK?offset=BYTES|tail=LINES[&amp;follow=true] with the job's token as bearer, or a token of the namespace's log
/// account in the header Trestle-Log-Token; RANK may be "job" for the output of the batch script. 200: the bytes, in pieces; the header
/// Trestle-Log-Offset is where they begin. 403: wrong token; 404: no such file; 421: another replica serves the cluster; 502: the cluster can't be
/// reached; 503: too many readers, or the API server can't be asked about the token.
/// </summary>
internal sealed class LogServer(IObjectCache<SlurmJob> jobs, ClusterSessions sessions, LogKey secret, LogReaders people, TimeProvider time) : IAsyncDisposable
{
    private const int MostReaders = 64;
    private const string Bearer = "Bearer ";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stopped = new();
    private int _readers;
    private WebApplication? _app;

    /// <summary>Listens; gives the address with the port it got.</summary>
    public async Task<string> StartAsync(string listen, CancellationToken ct)
    {
        _app = await HttpEndpoint.StartAsync(listen, AnswerAsync, ct);
        return _app.Urls.First();
    }

    /// <summary>Ends the answers that are followed and stops listening.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        if (_app is not null) await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (!HttpMethods.IsGet(request.Method) || LogRequest.Read(request) is not { } wanted)
        {
            await SayAsync(response, StatusCodes.Status404NotFound, "logs are at /logs/NAMESPACE/SLURMJOB/RANK?offset=BYTES or tail=LINES");
            return;
        }

        try
        {
            if (Interlocked.Increment(ref _readers) > MostReaders) await SayAsync(response, StatusCodes.Status503ServiceUnavailable, "too many logs are being read; try again later");
            else await AnswerAsync(context, wanted);
        }
        finally
        {
            Interlocked.Decrement(ref _readers);
        }
    }

    private async Task AnswerAsync(HttpContext context, LogRequest wanted)
    {
        var response = context.Response;
        var job = jobs.Find(wanted.Job);
        // Whether a job is there is nobody's business who may not read it.
        if (await RefusalAsync(context, wanted.Job, job) is var (status, why)) await SayAsync(response, status, why);
        else if (job is null) await SayAsync(response, StatusCodes.Status404NotFound, "there is no such job");
        else if (sessions.Of(job.Spec.Cluster) is not { Root: { } root } session) await SayAsync(response, StatusCodes.Status421MisdirectedRequest, "this bridge does not serve the cluster now");
        else if (session.UserOf(wanted.Job.Namespace) is not { } user || AttemptKey.Of(job.Spec) is not { } name) await SayAsync(response, StatusCodes.Status404NotFound, "the namespace is nobody on the cluster");
        else await StreamAsync(context, wanted, user, LogFile.Of(root, name, wanted.Rank));
    }

    // Null when the bearer may read.
    private async Task<(int Status, string Why)?> RefusalAsync(HttpContext context, ObjectKey key, SlurmJob? job)
    {
        if (job is not null && secret.Verify(Token(context.Request), job.Metadata.Uid)) return null;
        try
        {
            return await people.MayReadAsync(context.Request.Headers[Names.LogTokenHeader], key.Namespace, context.RequestAborted) ? null : (StatusCodes.Status403Forbidden, "the token does not allow to read this job");
        }
        catch (Exception error) when (error is KubeApiException or HttpRequestException)
        {
            return (StatusCodes.Status503ServiceUnavailable, "the API server can't be asked about the token now; try again");
        }
    }

    private async Task StreamAsync(HttpContext context, LogRequest wanted, UserSession user, LogFile file)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopped.Token);
        var response = context.Response;
        try
        {
            long? offset = wanted.Tail is null ? wanted.Offset : null;
            while (true)
            {
                // Asked before the read: what was written until the end is then in it.
                var isLast = !wanted.Follow || HasEnded(wanted.Job);
                var piece = await PieceAsync(wanted, user, file, offset, ended.Token);
                if (piece is null && isLast && !response.HasStarted)
                {
                    await SayAsync(response, StatusCodes.Status404NotFound, "there is no such log file");
                    return;
                }

                if (piece is not null) offset = await WriteAsync(response, piece, ended.Token);
                if (piece is { Bytes.Length: > 0 }) continue;
                if (isLast) return;
                await Task.Delay(Pause, time, ended.Token);
            }
        }
        catch (ContactLostException error)
        {
            // Half of a log must not look like all of it.
            if (response.HasStarted) context.Abort();
            else await SayAsync(response, StatusCodes.Status502BadGateway, Printable.Text(error.Message, 300));
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The reader went, or the bridge ends.
        }
    }

    private static async Task<LogPiece?> PieceAsync(LogRequest wanted, UserSession user, LogFile file, long? offset, CancellationToken ct)
    {
        await user.LogTurns.WaitAsync(ct);
        try
        {
            return offset is { } at ? await file.ReadAsync(user.Node, at, ct) : await file.TailAsync(user.Node, wanted.Tail!.Value, ct);
        }
        finally
        {
            user.LogTurns.Release();
        }
    }

    private static async Task<long> WriteAsync(HttpResponse response, LogPiece piece, CancellationToken ct)
    {
        if (!response.HasStarted)
        {
            response.ContentType = "text/plain; charset=utf-8";
            response.Headers[Names.LogOffsetHeader] = piece.Offset.ToString(CultureInfo.InvariantCulture);
        }

        await response.Body.WriteAsync(piece.Bytes, ct);
        await response.Body.FlushAsync(ct);
        return piece.Offset + piece.Bytes.Length;
    }

    private bool HasEnded(ObjectKey job) => jobs.Find(job) is not { Status.Phase: not (SlurmJobPhase.Succeeded or SlurmJobPhase.Failed or SlurmJobPhase.Cancelled) };

    private static string? Token(HttpRequest request) =>
        request.Headers.Authorization.ToString() is { } header && header.StartsWith(Bearer, StringComparison.Ordinal) ? header[Bearer.Length..] : null;

    private static Task SayAsync(HttpResponse response, int status, string text)
    {
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        return response.WriteAsync(text + "\n");
    }
}
