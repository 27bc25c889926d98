using System.CommandLine;
using Trestle.Cli.Launching;

namespace Trestle.Cli.Commands;

/// <summary>Options of launch that stand above what the file says.</summary>
internal sealed class OverrideOptions
{
    private readonly Option<string?> _name = new("--name") { Description = "name of the job or group" };
    private readonly Option<int?> _nodes = new("--nodes", "-N") { Description = "number of nodes" };
    private readonly Option<string?> _gpus = new("--gpus") { Description = "GPUs of each node, e.g. H100:8" };
    private readonly Option<string?> _cpus = new("--cpus") { Description = "CPUs of each node" };
    private readonly Option<string?> _memory = new("--memory") { Description = "memory of each node, e.g. 256Gi" };
    private readonly Option<string?> _image = new("--image") { Description = "container image" };
    private readonly Option<int?> _priority = new("--priority") { Description = "-1000 to 1000" };
    private readonly Option<string?> _queue = new("--queue") { Description = "queue" };
    private readonly Option<string?> _timeLimit = new("--time-limit") { Description = "longest running time, e.g. 24h" };
    private readonly Option<int?> _maxRestarts = new("--max-restarts") { Description = "restarts after the job's own failures" };
    private readonly Option<string[]> _infra = new("--infra") { Description = "where to run: k8s, slurm/CLUSTER or slurm/CLUSTER/PARTITION; TASK=… for a task of a group" };
    private readonly Option<string[]> _env = new("--env") { Description = "K=V, or K to pass on your own value; for every task of a group" };
    private readonly Option<string?> _envFile = new("--env-file") { Description = "file with lines of K=V" };
    private readonly Option<string[]> _secrets = new("--secret") { Description = "name of a variable of your shell that the job gets through a Secret" };

    public void AddTo(Command command)
    {
        Option[] all = [_name, _nodes, _gpus, _cpus, _memory, _image, _priority, _queue, _timeLimit, _maxRestarts, _infra, _env, _envFile, _secrets];
        foreach (var option in all)
        {
            command.Options.Add(option);
        }
    }

    public LaunchOverrides Read(ParseResult parsed, CliHost host)
    {
        var file = parsed.GetValue(_envFile);
        var env = (file is null ? [] : KeyValues.File(host.FullPath(file))).Concat(parsed.GetValue(_env) ?? []);
        return new LaunchOverrides
        {
            Name = parsed.GetValue(_name),
            Nodes = parsed.GetValue(_nodes),
            Gpus = parsed.GetValue(_gpus),
            Cpus = parsed.GetValue(_cpus),
            Memory = parsed.GetValue(_memory),
            Image = parsed.GetValue(_image),
            Priority = parsed.GetValue(_priority),
            Queue = parsed.GetValue(_queue),
            TimeLimit = parsed.GetValue(_timeLimit),
            MaxRestarts = parsed.GetValue(_maxRestarts),
            Infra = [.. (parsed.GetValue(_infra) ?? []).Select(InfraOverride.Read)],
            Env = KeyValues.Env(env, host),
            Secrets = KeyValues.Secrets(parsed.GetValue(_secrets) ?? [], host),
        };
    }
}
