using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Trestle.Bridge.Login;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>Looks into the queue of one cluster as one user, once an interval for all jobs; less often while that fails.</summary>
/// <param name="node">The login node.</param>
/// <param name="interval">Between the beginnings of two looks.</param>
/// <param name="wanted">Name in Slurm by id of the jobs that are asked for.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Where it is told.</param>
internal sealed class JobPoller(ILoginNode node, TimeSpan interval, Func<IReadOnlyDictionary<string, string>> wanted, TimeProvider time, ILogger log)
{
    private const int MostIds = 2000;
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(1);

    /// <summary>The last look.</summary>
    public QueueView View { get; private set; } = QueueView.Empty;

    /// <summary>Called after each look with the view before and after it; must not block or throw.</summary>
    public Action<QueueView, QueueView>? Looked { get; init; }

    /// <summary>Named points at which tests end the process.</summary>
    public FailPoints Fail { get; init; } = new();

    /// <summary>Looks until cancelled.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            await LookAsync(ct);
            var pause = Pause(View.Failures, Random.Shared.NextDouble()) - time.GetElapsedTime(began);
            await Task.Delay(pause > TimeSpan.Zero ? pause : TimeSpan.Zero, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken ct)
    {
        var before = View;
        Fail.At("look.beginning");
        try
        {
            using var limit = new CancellationTokenSource(LongestLook, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
            var names = wanted();
            View = names.Count == 0 && !before.IsLost ? before.Next(names, new Dictionary<string, JobRecord>(), null, Moment.SteadyOf(time)) : await AskAsync(names, either.Token);
            if (before.Failure is not null) BridgeLog.ContactBack(log);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return;
        }
        catch (Exception error) when (error is ContactLostException or OperationCanceledException or InvalidDataException)
        {
            View = before.Failed(Printable.Text(error is OperationCanceledException ? "the login node did not answer within a minute" : error.Message, 300));
            BridgeLog.ContactLost(log, View.Failure!);
        }

        Looked?.Invoke(before, View);
        Fail.At("look.done");
    }

    /// <summary>The interval; after failures twice as much each time, up to 2 minutes, spread by half.</summary>
    internal TimeSpan Pause(int failures, double spread)
    {
        if (failures == 0) return interval;
        var grown = interval * Math.Pow(2, Math.Min(failures - 1, 10));
        return (grown < LongestPause ? grown : LongestPause) * (0.75 + (spread / 2));
    }

    private async Task<QueueView> AskAsync(IReadOnlyDictionary<string, string> names, CancellationToken ct)
    {
        var separator = Separator.New();
        Fail.At("look.queue");
        var answer = await RunAsync(SqueueQuery.Command(separator), separator, ct);
        Fail.At("look.heard");
        if (answer.ExitCode != 0) throw new InvalidDataException($"squeue failed: {Encoding.UTF8.GetString(answer.Error.Span)}");
        var queue = SqueueQuery.Read(answer.Output, separator);
        var gone = names.Where(job => queue.GetValueOrDefault(job.Key)?.Name != job.Value).Select(job => job.Key).ToList();
        if (gone.Count == 0) return View.Next(names, queue, null, Moment.SteadyOf(time));
        return View.Next(names, queue, await AccountingAsync(gone, separator, ct), Moment.SteadyOf(time));
    }

    // Null when accounting can't be asked. In parts: a command line has no room for any number of ids.
    private async Task<Dictionary<string, JobRecord>?> AccountingAsync(IEnumerable<string> ids, Separator separator, CancellationToken ct)
    {
        var jobs = new Dictionary<string, JobRecord>();
        Fail.At("look.accounting");
        foreach (var part in ids.Chunk(MostIds))
        {
            var records = await RunAsync(SacctQuery.Command(separator, part), separator, ct);
            if (records.ExitCode != 0) return null;
            foreach (var (id, job) in SacctQuery.Read(records.Output, separator)) jobs[id] = job;
        }

        return jobs;
    }

    // The command's own exit code stands in the last line: a silent end in the middle of an answer must not look like an empty queue.
    private async Task<CommandOutput> RunAsync(string command, Separator mark, CancellationToken ct)
    {
        var answer = await node.RunAsync($"{command} < /dev/null\necho \"{mark.Text} end $?\"\n", ct);
        var end = Encoding.UTF8.GetBytes($"{mark.Text} end ");
        var at = answer.Output.Span.LastIndexOf(end);
        if (at < 0 || !int.TryParse(Encoding.UTF8.GetString(answer.Output.Span[(at + end.Length)..]).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var code))
            throw new InvalidDataException("the login node's answer is not whole");
        return answer with { ExitCode = code, Output = answer.Output[..at] };
    }
}
