using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Logs;

/// <summary>Logs of ranks on Slurm. They are files: lines have no time, and what was read is known by its offset.</summary>
/// <param name="open">Opens a log of a SlurmJob; null when there is none.</param>
internal sealed class SlurmLogs(SlurmLogs.Open open)
{
    /// <summary>SlurmJob, rank or "job", query.</summary>
    internal delegate Task<SlurmLogPart?> Open(string job, string place, string query, CancellationToken cancellation);

    private const string Batch = "job";
    private readonly ConcurrentDictionary<string, long> _next = new(StringComparer.Ordinal);

    /// <summary>One rank for every node that the SlurmJob asks for.</summary>
    public static IEnumerable<LogRank> Ranks(SlurmJob job, string? task) => Enumerable.Range(0, job.Spec.Nodes ?? 1).Select(rank => RankOf(job, task, rank));

    /// <summary>Lines from where the last reading of this rank ended; the first reading begins where the query says.</summary>
    public async IAsyncEnumerable<LogLine> ReadAsync(LogRank rank, LogQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var follow = query.Follow ? "&follow=true" : "";
        var from = _next.TryGetValue(rank.Uid, out var next) ? $"offset={next.ToString(CultureInfo.InvariantCulture)}"
            : query.Tail is { } tail ? $"tail={tail.ToString(CultureInfo.InvariantCulture)}" : "offset=0";
        var place = rank.Rank.ToString(CultureInfo.InvariantCulture);
        var part = await open(rank.Pod, place, from + follow, cancellation);
        // Before the ranks there is the batch script, whose words say why there were none.
        if (part is null && rank is { Rank: 0, State: LogState.Ended }) part = await open(rank.Pod, Batch, from + follow, cancellation);
        if (part is null) yield break;
        await using var body = part.Body;
        var at = part.Offset;
        await foreach (var (line, length, isWhole) in LinesAsync(body, cancellation))
        {
            // Half a line of a job that goes on is read again when it is whole.
            if (!isWhole && query.Follow) yield break;
            at += length;
            _next[rank.Uid] = at;
            yield return new LogLine("", line);
        }
    }

    private static async IAsyncEnumerable<(string Line, int Length, bool IsWhole)> LinesAsync(Stream body, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var line = new ArrayBufferWriter<byte>();
        var buffer = new byte[16 << 10];
        int count;
        while ((count = await body.ReadAsync(buffer, cancellation)) > 0)
        {
            var start = 0;
            for (int end; (end = Array.IndexOf(buffer, (byte)'\n', start, count - start)) >= 0; start = end + 1)
            {
                line.Write(buffer.AsSpan(start, end - start));
                yield return (Text(line.WrittenSpan), line.WrittenCount + 1, true);
                line.Clear();
            }

            line.Write(buffer.AsSpan(start, count - start));
        }

        if (line.WrittenCount > 0) yield return (Text(line.WrittenSpan), line.WrittenCount, false);
    }

    private static string Text(ReadOnlySpan<byte> line) => Encoding.UTF8.GetString(line.EndsWith("\r"u8) ? line[..^1] : line);

    private static LogRank RankOf(SlurmJob job, string? task, int rank)
    {
        var uid = $"{job.Metadata.Uid}/{rank.ToString(CultureInfo.InvariantCulture)}";
        return new LogRank(job.Metadata.Name, uid, job.Spec.Job, task, rank, job.Spec.Attempt ?? 1, StateOf(job)) { IsOnSlurm = true };
    }

    private static LogState StateOf(SlurmJob job) => job.Status?.Phase switch
    {
        SlurmJobPhase.Succeeded or SlurmJobPhase.Failed or SlurmJobPhase.Cancelled => LogState.Ended,
        SlurmJobPhase.Running or SlurmJobPhase.Suspended or SlurmJobPhase.Terminating => LogState.Running,
        // What Slurm did not say may well run.
        SlurmJobPhase.Unknown when job.Status.StartedAt is not null => LogState.Running,
        _ => LogState.Waiting,
    };
}
