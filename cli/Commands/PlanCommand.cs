using System.CommandLine;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;
using Trestle.Cli.Launching;
using Trestle.Cli.Planning;

namespace Trestle.Cli.Commands;

/// <summary>What a launch would create and where it would run, decided by the operator's own code on what the cluster holds now.</summary>
internal static class PlanCommand
{
    public static Command Build(CliHost host, string[] trailing)
    {
        var cluster = new ClusterOptions();
        var files = new Argument<string[]>("file") { Description = "Trestle YAML or SkyPilot YAML; '-' reads standard input", Arity = ArgumentArity.ZeroOrMore };
        var overrides = new OverrideOptions();
        var format = FormatOption.New();
        var command = new Command("plan", "Show what a launch would create and where it would run, without creating anything.") { files, format };
        cluster.AddTo(command);
        overrides.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var changed = overrides.Read(parsed, host);
            var input = LaunchReader.Read(parsed.GetValue(files) ?? [], trailing, changed, host);
            using var connection = cluster.Connect(parsed, host);
            var plan = await new Launcher(connection, host).PlanAsync(input, changed, jobGroup: null, alone: false, cancellation);
            var namespaces = plan.Launched.Select(job => job.Object.Metadata.NamespaceProperty).Distinct(StringComparer.Ordinal).ToList();
            var scene = await connection.SceneAsync(namespaces, cancellation);
            var foreseen = Foresight.Of(plan, scene, host.Time.GetUtcNow());
            PlanReport.Write(host, parsed.GetValue(format), plan, foreseen, Storages(plan, scene, foreseen));
            return foreseen.Jobs.Any(job => job.WouldFail) ? ExitCode.Error : ExitCode.Ok;
        });
        return command;
    }

    // Those that the operator would make hold nothing that a pod shows but their directory.
    private static Dictionary<string, Storage> Storages(LaunchPlan plan, PlanScene scene, Foreseen foreseen)
    {
        var known = scene.Storages.Concat(plan.Operations.Select(operation => operation.Object).OfType<Storage>()).DistinctBy(storage => storage.Metadata.Name).ToDictionary(storage => storage.Metadata.Name);
        foreach (var name in foreseen.Jobs.SelectMany(job => job.Job.Spec.Mounts ?? []).Select(mount => mount.Storage).OfType<string>())
            known.TryAdd(name, new Storage { Spec = new StorageSpec { File = new FileStorage { Path = $"{scene.ObjectRoot}/{name}" } } });
        return known;
    }
}
