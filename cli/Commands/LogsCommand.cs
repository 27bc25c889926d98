using System.CommandLine;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;
using Trestle.Cli.Logs;
using Trestle.Cli.Output;

namespace Trestle.Cli.Commands;

internal static class LogsCommand
{
    public static Command Build(CliHost host)
    {
        var cluster = new ClusterOptions();
        var name = new Argument<string>("name") { Description = "job, group or service" };
        var task = new Option<string?>("--task") { Description = "one task of a group; gateway: what the gateway of a service says" };
        var rank = new Option<int?>("--rank", "-r") { Description = "one rank; of a service one replica" };
        var follow = new Option<bool>("--follow", "-f") { Description = "go on until the job has ended, and end with its exit code; a service never ends" };
        var attempt = new Option<int?>("--attempt") { Description = "an earlier execution; the newest when left out" };
        var tail = new Option<int?>("--tail") { Description = "only the last lines of each rank" };
        var since = new Option<string?>("--since") { Description = "only lines newer than 30s, 5m, 2h" };
        var timestamps = new Option<bool>("--timestamps") { Description = "with the time of each line" };
        var command = new Command("logs", "What a job, or the engines of a service, wrote, all ranks in order of time.") { name, task, rank, follow, attempt, tail, since, timestamps };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var selection = new LogSelection(parsed.GetValue(task), parsed.GetValue(rank), parsed.GetValue(attempt));
            var query = new LogQuery(parsed.GetValue(follow), Tail: parsed.GetValue(tail), SinceSeconds: Seconds(parsed.GetValue(since)));
            using var connection = cluster.Connect(parsed, host);
            return await RunAsync(connection, host, parsed.GetRequiredValue(name), selection, query, parsed.GetValue(timestamps), cancellation);
        });
        return command;
    }

    public static async Task<int> RunAsync(
        Cluster cluster, CliHost host, string name, LogSelection selection, LogQuery query, bool timestamps, CancellationToken cancellation)
    {
        var found = await cluster.FindJobGroupOrServiceAsync(name, cancellation);
        var source = new ClusterLogs(cluster, found, host.Time);
        var printer = new LogPrinter(host, timestamps) { Prefixed = selection.Rank is null && SharesOutput(found, selection) };
        if (!query.Follow)
        {
            await PrintAsync(source, found, selection, query, printer, cancellation);
            return ExitCode.Ok;
        }

        try
        {
            var end = await new LogFollower(source, selection, printer, host.Time).RunAsync(query, cancellation);
            printer.Note($"{found.Label} {end.Phase}{(end.Message.Length > 0 && end.Code != 0 ? ": " + end.Message : "")}");
            return end.Code;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            printer.Note($"{found.Label} goes on; cancel it with: trestle cancel {name}{cluster.NamespaceHint}");
            throw;
        }
    }

    private static bool SharesOutput(FoundJob found, LogSelection selection) => found.Object switch
    {
        TrainingJob job => job.NodeCount() > 1,
        JobGroup group => selection.Task is not { } task || group.Spec.Tasks.FirstOrDefault(other => other.Name == task)?.Job?.NodeCount() is not 1,
        _ => true,
    };

    private static async Task PrintAsync(
        ClusterLogs source, FoundJob found, LogSelection selection, LogQuery query, LogPrinter printer, CancellationToken cancellation)
    {
        var ranks = selection.Newest(await source.RanksAsync(cancellation));
        if (ranks.Count == 0)
        {
            throw new CliException(NoLogs(found, selection), ExitCode.NotFound);
        }

        TellWhatIsNotDone(query, ranks, printer);
        var started = ranks.Where(rank => rank.State != LogState.Waiting).ToArray();
        if (started.Length == 0)
        {
            printer.Note($"{found.Label} has not written anything yet: {found.Phase}{(found.Message.Length > 0 ? ", " + found.Message : "")}");
        }

        await foreach (var (rank, line) in LogMerge.InOrderAsync([.. started.Select(rank => source.ReadAsync(rank, query, cancellation))], cancellation))
        {
            printer.Print(started[rank], line);
        }
    }

    // Without times there is nothing to compare with.
    private static void TellWhatIsNotDone(LogQuery query, IReadOnlyList<LogRank> ranks, LogPrinter printer)
    {
        if (query.SinceSeconds is not null && ranks.Any(rank => rank.IsOnSlurm)) printer.Note("lines of Slurm jobs have no times, so --since does not shorten them; use --tail");
    }

    private static string NoLogs(FoundJob found, LogSelection selection)
    {
        if (selection.Task is { } task && found.Object is TrainingJob)
        {
            return $"{found.Label} is not a group, so it has no task {task}; leave --task out";
        }

        if (selection is { Task: null, Rank: null, Attempt: null })
        {
            return found.HasEnded
                ? $"{found.Label} has ended ({found.Phase}) and its pods or Slurm jobs are gone, and the logs with them"
                : $"{found.Label} has not started: {found.Phase}{(found.Message.Length > 0 ? ", " + found.Message : "")}; wait for it with: trestle logs {found.Name} -f";
        }

        return $"no rank of {found.Label} matches --task, --rank or --attempt; see: trestle describe {found.Name}";
    }

    private static long? Seconds(string? since) =>
        since is null ? null
        : Spans.TryParse(since) is { } span ? (long)Math.Ceiling(span.TotalSeconds)
        : throw CliException.Usage($"--since {since} is no duration; write 30s, 5m or 2h");
}
