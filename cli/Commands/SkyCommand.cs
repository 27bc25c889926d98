using System.CommandLine;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;
using Trestle.Cli.Launching;
using Trestle.Cli.Logs;
using Trestle.Cli.Output;

namespace Trestle.Cli.Commands;

/// <summary>`sky jobs launch|queue|logs|cancel` as SkyPilot has them, so that watchers written for it run. A job's name is its ID.</summary>
internal static class SkyCommand
{
    public static Command Build(CliHost host, string[] trailing)
    {
        var jobs = new Command("jobs", "Managed jobs.") { Launch(host, trailing), Queue(host), Logs(host), Cancel(host) };
        return new Command("sky", "The commands of SkyPilot that watchers use.") { jobs };
    }

    private static Command Launch(CliHost host, string[] trailing)
    {
        var entrypoint = new Argument<string[]>("entrypoint") { Description = "a YAML file, or a command", Arity = ArgumentArity.ZeroOrMore };
        var name = new Option<string?>("--name", "-n");
        var env = new Option<string[]>("--env");
        var secret = new Option<string[]>("--secret");
        var gpus = new Option<string?>("--gpus");
        var cpus = new Option<string?>("--cpus");
        var memory = new Option<string?>("--memory");
        var nodes = new Option<int?>("--num-nodes");
        var image = new Option<string?>("--image-id");
        var priority = new Option<int?>("--priority");
        var detach = new Option<bool>("--detach-run", "-d");
        var asynchronous = new Option<bool>("--async");
        var alone = new Option<bool>("--no-job-group");
        var group = new Option<string?>("--job-group");
        var command = new Command("launch", "Launch a managed job.")
            { entrypoint, name, env, secret, gpus, cpus, memory, nodes, image, priority, detach, asynchronous, alone, group, new Option<bool>("--yes", "-y") };
        command.SetAction(async (parsed, cancellation) =>
        {
            var overrides = new LaunchOverrides
            {
                Name = parsed.GetValue(name),
                Env = KeyValues.Env(parsed.GetValue(env) ?? [], host),
                Secrets = KeyValues.Secrets(parsed.GetValue(secret) ?? [], host),
                Gpus = parsed.GetValue(gpus),
                Cpus = parsed.GetValue(cpus)?.TrimEnd('+'),
                Memory = SkyMemory(parsed.GetValue(memory)),
                Nodes = parsed.GetValue(nodes),
                Image = parsed.GetValue(image)?.Replace("docker:", "", StringComparison.Ordinal),
                Priority = parsed.GetValue(priority),
            };
            var (files, script) = Entrypoint([.. parsed.GetValue(entrypoint) ?? [], .. trailing], host);
            var input = LaunchReader.Read(files, script, overrides, host);
            using var cluster = Cluster.Connect(new ClusterTarget(), host);
            var launcher = new Launcher(cluster, host);
            var plan = await launcher.PlanAsync(input, overrides, parsed.GetValue(group), parsed.GetValue(alone), cancellation);
            await launcher.RunAsync(plan, cancellation);
            var job = plan.Launched.First().Name;
            await host.Out.WriteLineAsync($"Job submitted, ID: {job}");
            return parsed.GetValue(detach) || parsed.GetValue(asynchronous)
                ? ExitCode.Ok
                : await LogsCommand.RunAsync(cluster, host, job, new LogSelection(), new LogQuery(Follow: true), timestamps: false, cancellation);
        });
        return command;
    }

    private static Command Queue(CliHost host)
    {
        var skip = new Option<bool>("--skip-finished", "-s");
        var command = new Command("queue", "Managed jobs and their states.") { skip, new Option<bool>("--refresh", "-r"), new Option<bool>("--all", "-a"), new Option<bool>("--all-users", "-u") };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var cluster = Cluster.Connect(new ClusterTarget(), host);
            var jobs = await cluster.JobsAsync(false, cancellation);
            await host.Out.WriteAsync(PlainTable.Render(SkyQueueTable.Build(jobs, host.Time.GetUtcNow().UtcDateTime, parsed.GetValue(skip))));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Logs(CliHost host)
    {
        var id = new Argument<string?>("job") { Arity = ArgumentArity.ZeroOrOne };
        var name = new Option<string?>("--name", "-n");
        var noFollow = new Option<bool>("--no-follow");
        var command = new Command("logs", "The log of a managed job; of the newest one when none is named.") { id, name, noFollow, new Option<bool>("--follow") };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var cluster = Cluster.Connect(new ClusterTarget(), host);
            var job = parsed.GetValue(name) ?? parsed.GetValue(id) ?? await NewestAsync(cluster, cancellation);
            return await LogsCommand.RunAsync(cluster, host, job, new LogSelection(), new LogQuery(!parsed.GetValue(noFollow)), timestamps: false, cancellation);
        });
        return command;
    }

    private static Command Cancel(CliHost host)
    {
        var ids = new Argument<string[]>("job") { Arity = ArgumentArity.ZeroOrMore };
        var name = new Option<string?>("--name", "-n");
        var all = new Option<bool>("--all", "-a");
        var command = new Command("cancel", "Cancel managed jobs.") { ids, name, all, new Option<bool>("--yes", "-y") };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var cluster = Cluster.Connect(new ClusterTarget(), host);
            string[] names = parsed.GetValue(all)
                ? await ActiveAsync(cluster, cancellation)
                : [.. parsed.GetValue(ids) ?? [], .. parsed.GetValue(name) is { } one ? [one] : Array.Empty<string>()];
            if (names.Length == 0 && !parsed.GetValue(all))
            {
                throw CliException.Usage("which job? Give its name with -n NAME, or --all");
            }

            foreach (var job in names)
            {
                await CancelCommand.CancelAsync(cluster, host, job, delete: false, cancellation);
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static (string[] Files, string[] Script) Entrypoint(string[] words, CliHost host) =>
        words is [var only] && (only.EndsWith(".yaml", StringComparison.Ordinal) || only.EndsWith(".yml", StringComparison.Ordinal) || File.Exists(host.FullPath(only)))
            ? (words, [])
            : ([], words);

    // SkyPilot counts in GiB when there is no unit.
    private static string? SkyMemory(string? memory) => memory?.TrimEnd('+') switch
    {
        null => null,
        var text when text.All(char.IsAsciiDigit) => text + "Gi",
        var text when text.EndsWith("GB", StringComparison.OrdinalIgnoreCase) => text[..^2] + "Gi",
        var text => text,
    };

    private static async Task<string[]> ActiveAsync(Cluster cluster, CancellationToken cancellation)
    {
        var jobs = await cluster.JobsAsync(false, cancellation);
        return [.. jobs.Groups.Where(group => !group.HasEnded()).Select(group => group.Metadata.Name), .. jobs.Loose.Where(job => !job.HasEnded()).Select(job => job.Metadata.Name)];
    }

    private static async Task<string> NewestAsync(Cluster cluster, CancellationToken cancellation)
    {
        var jobs = await cluster.JobsAsync(false, cancellation);
        return jobs.All.MaxBy(job => job.Metadata.CreationTimestamp)?.Metadata.Name
            ?? throw CliException.NotFound($"there are no jobs in namespace {cluster.Namespace}");
    }
}
