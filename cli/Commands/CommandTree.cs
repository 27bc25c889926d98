using System.CommandLine;
using System.CommandLine.Help;

namespace Trestle.Cli.Commands;

/// <summary>All commands. Only the one that is called is built whole: building forty options costs more than most commands.</summary>
internal static class CommandTree
{
    private sealed record Entry(string Name, string[] Aliases, Func<CliHost, string[], Command> Build, bool Hidden = false);

    private static readonly Entry[] Entries =
    [
        new("launch", ["submit"], LaunchCommand.Build),
        new("queue", ["squeue"], (host, _) => QueueCommand.Build(host)),
        new("history", ["sacct"], (host, _) => HistoryCommand.Build(host)),
        new("logs", [], (host, _) => LogsCommand.Build(host)),
        new("describe", [], (host, _) => DescribeCommand.Build(host)),
        new("cancel", ["scancel"], (host, _) => CancelCommand.Build(host)),
        new("suspend", [], (host, _) => SuspendCommand.Build(host, suspend: true)),
        new("resume", [], (host, _) => SuspendCommand.Build(host, suspend: false)),
        new("retry", [], (host, _) => RetryCommand.Build(host)),
        new("infra", ["sinfo"], (host, _) => InfraCommand.Build(host)),
        new("storage", ["storages"], (host, _) => StorageCommand.Build(host)),
        new("checkpoints", [], (host, _) => CheckpointCommand.BuildList(host)),
        new("checkpoint", [], (host, _) => CheckpointCommand.Build(host)),
        new("plan", [], PlanCommand.Build),
        new("convert", [], (host, _) => ConvertCommand.Build(host)),
        new("local", [], (host, _) => LocalCommand.Build(host)),
        new("whoami", [], (host, _) => WhoAmICommand.Build(host)),
        new("completion", [], (host, _) => CompletionCommand.Build(host)),
        new("version", [], (host, _) => VersionCommand.Build(host)),
        new("sky", [], SkyCommand.Build, Hidden: true),
        new(CompletionCommand.SuggestName, [], (host, _) => CompletionCommand.BuildSuggest(host), Hidden: true),
    ];

    /// <param name="args">Arguments before "--"; the first one picks the command.</param>
    /// <param name="trailing">Arguments after "--": the command line of a job.</param>
    /// <param name="host">Given to the commands.</param>
    public static RootCommand Build(string[] args, string[] trailing, CliHost host)
    {
        var root = new RootCommand("Runs training jobs on Kubernetes and Slurm.");
        var called = args.Length == 0 ? null : Entries.FirstOrDefault(entry => entry.Name == args[0] || entry.Aliases.Contains(args[0]));
        foreach (var entry in called is null ? Entries : [called])
        {
            var command = entry.Build(host, trailing);
            command.Hidden = entry.Hidden;
            foreach (var alias in entry.Aliases)
            {
                command.Aliases.Add(alias);
            }

            root.Add(command);
        }

        root.SetAction(parsed => new HelpAction().Invoke(parsed));
        return root;
    }

    public static bool TakesTrailingCommand(Command command) => command.Name is "launch" or "plan";
}
