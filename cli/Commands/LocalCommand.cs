using System.CommandLine;
using Trestle.Local.Plane;
using Trestle.Local.Plane.Slurm;

namespace Trestle.Cli.Commands;

/// <summary>The one-machine control plane: start, stop, look, break.</summary>
internal static class LocalCommand
{
    public static Command Build(CliHost host)
    {
        var command = new Command("local", "The whole system on this machine, without a cluster.")
        {
            Up(host), Down(host), Status(host), Node(host), Run(),
        };
        return command;
    }

    private static Option<string?> StateOption() =>
        new("--state") { Description = "directory that holds everything of the plane; ~/.local/state/trestle when left out" };

    private static string? FullState(ParseResult parsed, Option<string?> state, CliHost host) =>
        parsed.GetValue(state) is { Length: > 0 } path ? host.FullPath(path) : null;

    private static Command Up(CliHost host)
    {
        var state = StateOption();
        var port = new Option<int?>("--port") { Description = "port of the Kubernetes API; a free one when left out" };
        var nodes = new Option<int>("--nodes") { Description = "virtual nodes", DefaultValueFactory = _ => 1 };
        var gpus = new Option<string?>("--gpus") { Description = "GPUs each node declares, e.g. H100:8" };
        var slurm = new Option<string[]>("--slurm") { Description = "Slurm cluster for jobs, e.g. alps=ssh://me@login.alps.example or here=local; again for more" };
        var storages = new Option<string?>("--storage-root") { Description = "directory of storages, e.g. one that the nodes of a Slurm cluster share; in --state when left out" };
        var noOperator = new Option<bool>("--no-operator") { Description = "without its operator, for one that you run by hand" };
        var detach = new Option<bool>("--detach", "-d") { Description = "return when it is ready" };
        var command = new Command("up", "Start it; prints the KUBECONFIG to use.") { state, port, nodes, gpus, slurm, storages, noOperator, detach };
        command.SetAction(async (parsed, cancellation) =>
        {
            var (type, count) = Gpus(parsed.GetValue(gpus));
            var options = new LocalPlaneOptions
            {
                StateDirectory = FullState(parsed, state, host),
                Port = InRange(parsed.GetValue(port) ?? 0, 0, 65535, "--port"),
                Nodes = InRange(parsed.GetValue(nodes), 1, 256, "--nodes"),
                GpuType = type,
                GpuCount = count,
                StorageRoot = parsed.GetValue(storages) is { Length: > 0 } root ? host.FullPath(root) : null,
                Slurm = Slurm(parsed.GetValue(slurm) ?? [], host),
                NoOperator = parsed.GetValue(noOperator),
                Detach = parsed.GetValue(detach),
            };
            return await LocalPlane.UpAsync(options, host.Out, host.Error, cancellation);
        });
        return command;
    }

    private static Command Down(CliHost host)
    {
        var state = StateOption();
        var purge = new Option<bool>("--purge") { Description = "delete the state directory too: all jobs and storages" };
        var command = new Command("down", "Stop it and all its jobs' processes; the jobs stay on record.") { state, purge };
        command.SetAction((parsed, cancellation) =>
            LocalPlane.DownAsync(FullState(parsed, state, host), parsed.GetValue(purge), host.Out, host.Error, cancellation));
        return command;
    }

    private static Command Status(CliHost host)
    {
        var state = StateOption();
        var command = new Command("status", "Whether it runs, and where.") { state };
        command.SetAction((parsed, cancellation) => LocalPlane.StatusAsync(FullState(parsed, state, host), host.Out, host.Error, cancellation));
        return command;
    }

    private static Command Node(CliHost host)
    {
        var node = new Command("node", "Break a virtual node, or repair it.");
        (string Name, string Help)[] faults =
        [
            ("fail", "The machine dies: its processes are killed at once."),
            ("drain", "The machine is emptied: its pods are asked to end, no new ones come."),
            ("restore", "The machine is back."),
        ];
        foreach (var (fault, help) in faults)
        {
            var state = StateOption();
            var name = new Argument<string>("name") { Description = "node name, e.g. node-0" };
            var command = new Command(fault, help) { name, state };
            command.SetAction((parsed, cancellation) =>
                LocalPlane.NodeFaultAsync(FullState(parsed, state, host), parsed.GetRequiredValue(name), fault, host.Out, host.Error, cancellation));
            node.Add(command);
        }

        return node;
    }

    private static Command Run()
    {
        var part = new Argument<string>("part");
        part.AcceptOnlyFromAmong("api", "operator", "nodes", "bridge");
        var state = new Option<string>("--state") { Required = true };
        var command = new Command("run", "One process of the plane; the supervisor starts these.") { part, state };
        command.Hidden = true;
        command.SetAction((parsed, cancellation) => LocalPlane.RunChildAsync(parsed.GetRequiredValue(part), parsed.GetRequiredValue(state), cancellation));
        return command;
    }

    private static (string? Type, int Count) Gpus(string? text)
    {
        if (text is null)
        {
            return (null, 0);
        }

        var parts = text.Split(':');
        return parts is [{ Length: > 0 } type, var number] && int.TryParse(number, out var count) && count is > 0 and <= 64
            ? (type, count)
            : throw CliException.Usage($"--gpus {text} is no GPU type and count; write TYPE:COUNT, e.g. H100:8");
    }

    private static List<SlurmAttachment> Slurm(string[] texts, CliHost host)
    {
        var home = host.Variable("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var reader = new SlurmAttachmentText(Environment.UserName, home, host.FullPath, File.Exists);
        try
        {
            List<SlurmAttachment> clusters = [.. texts.Select(reader.Read)];
            return clusters.GroupBy(cluster => cluster.Name).FirstOrDefault(same => same.Count() > 1) is { } twice
                ? throw CliException.Usage($"--slurm gives the name {twice.Key} to {twice.Count()} clusters; name them apart, e.g. other={twice.Last().Where}")
                : clusters;
        }
        catch (FormatException error)
        {
            throw CliException.Usage(error.Message);
        }
    }

    private static int InRange(int value, int low, int high, string option) =>
        value >= low && value <= high ? value : throw CliException.Usage($"{option} must be from {low} to {high}; got {value}");
}
