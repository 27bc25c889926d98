using System.CommandLine;
using System.Globalization;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Connection;
using Trestle.Cli.Jobs;
using Trestle.Cli.Output;
using Trestle.Cli.Storages;

namespace Trestle.Cli.Commands;

/// <summary>Checkpoints: which there are, and saying that one is finished.</summary>
internal static class CheckpointCommand
{
    public static Command BuildList(CliHost host)
    {
        var cluster = new ClusterOptions();
        var format = FormatOption.New();
        var storage = new Argument<string?>("storage") { Description = "only of this storage", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("checkpoints", "Durable checkpoints of storages, and what jobs have written that is not durable yet.") { storage, format };
        cluster.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var connection = cluster.Connect(parsed, host);
            var asked = parsed.GetValue(storage);
            var storages = (await connection.StoragesAsync(cancellation)).Where(found => asked is null || found.Metadata.Name == asked).ToList();
            if (asked is not null && storages.Count == 0) throw CliException.NotFound($"there is no storage {asked} in namespace {connection.Namespace}; see: trestle storage{connection.NamespaceHint}");
            var jobs = await connection.JobsAsync(allNamespaces: false, cancellation);
            var table = CheckpointTable.Build(storages, jobs.All, host.Time.GetUtcNow().UtcDateTime);
            Listing.Write(host, parsed.GetValue(format), table, [.. storages.Select(ListedJobs.Of)], $"there are no checkpoints in {asked ?? $"the storages of namespace {connection.Namespace}"}");
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command Build(CliHost host)
    {
        var cluster = new ClusterOptions();
        var name = new Argument<string>("job") { Description = "the job that wrote it" };
        var path = new Argument<string>("path") { Description = "the checkpoint, below the job's first MountCached path, e.g. step-1200" };
        var commit = new Command("commit", "Say that a file or directory is a finished checkpoint.") { name, path };
        cluster.AddTo(commit);
        commit.SetAction(async (parsed, cancellation) =>
        {
            using var connection = cluster.Connect(parsed, host);
            var found = await connection.FindJobOrGroupAsync(parsed.GetRequiredValue(name), cancellation);
            await CommitAsync(connection, host, found, parsed.GetRequiredValue(path).Trim('/'), cancellation);
            return ExitCode.Ok;
        });
        return new Command("checkpoint", "Say that a checkpoint is finished; list them with 'checkpoints'.") { commit };
    }

    private static async Task CommitAsync(Cluster cluster, CliHost host, FoundJob found, string path, CancellationToken cancellation)
    {
        if (found.Object is not TrainingJob job) throw CliException.Usage($"{found.Object.Metadata.Name} is a group; name the job of it that wrote the checkpoint (see: trestle queue{cluster.NamespaceHint})");
        if (found.HasEnded) throw new CliException($"{found.Label} has ended already ({found.Phase}): what it wrote can't be committed any more");
        if (job.Spec.Mounts?.Exists(mount => mount.Mode == MountMode.MountCached) != true) throw new CliException($"{found.Label} has no mount of mode MountCached, so there is nothing to commit");
        if (path.Length == 0 || path.Split('/').Any(part => part is "" or "." or "..")) throw CliException.Usage("the path must lie below the mount, e.g. step-1200");
        var at = host.Time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        await cluster.AnnotateAsync(job, Annotations.CommitCheckpoint, $"{path}@{at}", cancellation);
        await host.Out.WriteLineAsync($"{path} is committed; when all of it is in the storage it is among: trestle checkpoints{cluster.NamespaceHint}");
    }
}
