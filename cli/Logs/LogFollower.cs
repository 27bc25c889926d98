using System.Runtime.CompilerServices;

namespace Trestle.Cli.Logs;

/// <summary>
/// Follows a job to its end: one tail a rank, new tails as new attempts start, each tail resuming by its cursor when the
/// API goes away. Ends when the job has ended and every tail has been read to its end.
/// </summary>
internal sealed class LogFollower(ILogSource source, LogSelection selection, LogPrinter printer, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);

    // A finished job's stream that doesn't close must not hold the command.
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, Task> _tails = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _attempts = new(StringComparer.Ordinal);
    private string _lastNote = "";

    /// <summary>The job as it ended.</summary>
    public async Task<LogSubject> RunAsync(LogQuery first, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var seen = false;
        while (true)
        {
            var (subject, ranks) = await ObserveAsync(cancellation);
            if (subject is null)
            {
                await DrainAsync(stop);
                return seen
                    ? new LogSubject("Deleted", true, ExitCode.Error, "was deleted")
                    : throw CliException.NotFound("there is no such job");
            }

            seen = true;
            StartTails(ranks, first, stop.Token);
            Tell(subject);
            if (subject.Ended)
            {
                await DrainAsync(stop);
                return subject;
            }

            await Task.Delay(Poll, time, cancellation);
        }
    }

    private async Task<(LogSubject? Subject, IReadOnlyList<LogRank> Ranks)> ObserveAsync(CancellationToken cancellation)
    {
        var retry = Poll;
        while (true)
        {
            try
            {
                // The job first: ranks listed after it has ended are all there will ever be.
                var subject = await source.FindAsync(cancellation);
                return (subject, subject is null ? [] : await source.RanksAsync(cancellation));
            }
            catch (Exception error) when (source.IsPassing(error))
            {
                Note("the Kubernetes API is away; the log goes on when it is back");
                await Task.Delay(retry, time, cancellation);
                retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry;
            }
        }
    }

    private void StartTails(IReadOnlyList<LogRank> ranks, LogQuery first, CancellationToken cancellation)
    {
        var initial = _tails.Count == 0;
        var starting = initial ? selection.Newest(ranks) : [.. ranks.Where(selection.Includes)];
        foreach (var rank in starting.Where(rank => rank.State != LogState.Waiting && !_tails.ContainsKey(rank.Uid)))
        {
            var known = _attempts.TryGetValue(rank.Job, out var attempt);
            if (known && rank.Attempt < attempt)
            {
                continue;
            }

            if (known && rank.Attempt > attempt)
            {
                printer.Note($"{rank.Job} starts again: attempt {rank.Attempt}");
            }

            _attempts[rank.Job] = rank.Attempt;
            _tails[rank.Uid] = TailAsync(rank, initial ? first : new LogQuery(Follow: true), cancellation);
        }
    }

    private async Task TailAsync(LogRank rank, LogQuery query, CancellationToken cancellation)
    {
        var cursor = new LogCursor();
        var retry = Poll;
        var isTold = false;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await foreach (var line in NewLinesAsync(rank, query, cursor, cancellation))
                {
                    printer.Print(rank, line);
                    retry = Poll;
                }

                if (await HasEndedAsync(rank, cancellation))
                {
                    await CatchUpAsync(rank, cursor, query, cancellation);
                    return;
                }
            }
            catch (Exception error) when (source.IsGone(error))
            {
                return;
            }
            catch (Exception error) when (source.IsPassing(error))
            {
                retry = retry * 2 < LongestRetry ? retry * 2 : LongestRetry;
                // What does not pass soon is said once.
                if (retry == LongestRetry && !isTold)
                {
                    isTold = true;
                    printer.Note($"{LogPrinter.Label(rank)}: {error.Message}");
                }
            }

            query = Continue(query, cursor);
            await Task.Delay(retry, time, cancellation);
        }
    }

    // A stream that closes tells nothing about why: the container may have ended, or the API server may be stopping.
    private async Task<bool> HasEndedAsync(LogRank rank, CancellationToken cancellation)
    {
        var now = (await source.RanksAsync(cancellation)).FirstOrDefault(other => other.Uid == rank.Uid);
        return now is null || now.State == LogState.Ended;
    }

    private async Task CatchUpAsync(LogRank rank, LogCursor cursor, LogQuery query, CancellationToken cancellation)
    {
        await foreach (var line in NewLinesAsync(rank, Continue(query, cursor) with { Follow = false }, cursor, cancellation))
        {
            printer.Print(rank, line);
        }
    }

    private static LogQuery Continue(LogQuery query, LogCursor cursor) =>
        cursor.SinceTime is null ? query : new LogQuery(query.Follow, cursor.SinceTime);

    private async IAsyncEnumerable<LogLine> NewLinesAsync(
        LogRank rank, LogQuery query, LogCursor cursor, [EnumeratorCancellation] CancellationToken cancellation)
    {
        cursor.Resume();
        await foreach (var line in source.ReadAsync(rank, query, cancellation))
        {
            if (cursor.Accept(line))
            {
                yield return line;
            }
        }
    }

    private async Task DrainAsync(CancellationTokenSource stop)
    {
        try
        {
            await Task.WhenAll(_tails.Values).WaitAsync(DrainLimit, time, stop.Token);
        }
        catch (TimeoutException)
        {
            await stop.CancelAsync();
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // A tail gave up by itself; the others have been waited for.
        }
    }

    private void Tell(LogSubject subject)
    {
        if (!subject.Ended && !_tails.Values.Any(tail => !tail.IsCompleted) && subject.Phase is not "Running")
        {
            Note(subject.Message.Length > 0 ? $"{subject.Phase}: {subject.Message}" : subject.Phase);
        }
    }

    private void Note(string text)
    {
        if (text != _lastNote)
        {
            printer.Note(_lastNote = text);
        }
    }
}
