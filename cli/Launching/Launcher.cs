using System.Security.Cryptography;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;

namespace Trestle.Cli.Launching;

/// <summary>Looks up what the planner needs, and carries its plan out.</summary>
internal sealed class Launcher(Cluster cluster, CliHost host)
{
    private const string JobGroupVariable = "TRESTLE_JOB_GROUP";
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    public async Task<LaunchPlan> PlanAsync(LaunchInput input, LaunchOverrides overrides, string? jobGroup, bool alone, CancellationToken cancellation)
    {
        var inside = host.Variable(JobGroupVariable);
        var scene = new LaunchScene(
            cluster.Namespace,
            UserName(),
            input.Storages.Count > 0 ? await cluster.ObjectRootAsync(cancellation) : null,
            jobGroup ?? (alone ? null : inside),
            inside is not null,
            RandomNumberGenerator.GetString("bcdfghjklmnpqrstvwxz2456789", 5));
        var workdirs = input.LocalWorkdirs.Select(local => local.Path).Distinct(StringComparer.Ordinal)
            .ToDictionary(path => path, WorkdirPacker.Pack, StringComparer.Ordinal);
        return LaunchPlanner.Plan(input, overrides, scene, workdirs);
    }

    public Task ValidateAsync(LaunchPlan plan, CancellationToken cancellation) => new LaunchExecutor(cluster, host).ValidateAsync(plan, cancellation);

    public Task RunAsync(LaunchPlan plan, CancellationToken cancellation) => new LaunchExecutor(cluster, host).RunAsync(plan, cancellation);

    /// <summary>Waits until jobs have ended and services are ready. The exit code of the first that failed, else 0.</summary>
    public async Task<int> WaitAsync(LaunchPlan plan, CancellationToken cancellation)
    {
        var code = ExitCode.Ok;
        foreach (var operation in plan.Launched)
        {
            var ended = await WaitAsync(FoundJob.Of(operation.Object), cancellation);
            code = code == ExitCode.Ok ? ended : code;
        }

        return code;
    }

    private async Task<int> WaitAsync(FoundJob job, CancellationToken cancellation)
    {
        var told = "";
        try
        {
            while (true)
            {
                var now = await RefreshAsync(job, cancellation) ?? throw new CliException($"{job.Label} was deleted before it {(job.Object is InferenceService ? "was ready" : "ended")}");
                var text = now.Message.Length > 0 ? $"{now.Phase}: {now.Message}" : now.Phase;
                if (text != told)
                {
                    await host.Error.WriteLineAsync($"{job.Name}: {Output.Printable.Line(told = text)}");
                }

                if (now.IsSettled)
                {
                    return now.ExitCode;
                }

                await Task.Delay(Poll, host.Time, cancellation);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await host.Error.WriteLineAsync($"trestle: {job.Label} goes on; cancel it with: trestle cancel {job.Name}{cluster.NamespaceHint}");
            throw;
        }
    }

    private async Task<FoundJob?> RefreshAsync(FoundJob job, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await cluster.RefreshAsync(job, cancellation);
            }
            catch (CliException error) when (error.IsPassing)
            {
                await Task.Delay(Poll, host.Time, cancellation);
            }
        }
    }

    private string UserName() => host.Variable("TRESTLE_USER") ?? host.Variable("USER") ?? host.Variable("LOGNAME") ?? Environment.UserName;
}
