using Trestle.Api.V1Alpha1;
using Trestle.Cli.Jobs;
using Trestle.Cli.Output;

namespace Trestle.Cli.Storages;

/// <summary>Checkpoints of storages, and what jobs have written that is not durable yet.</summary>
internal static class CheckpointTable
{
    private const string Durable = "durable";
    private const string Pending = "pending";
    private static readonly TableColumn[] Columns = [new("STORAGE"), new("CHECKPOINT"), new("STATE"), new("SIZE"), new("AGE"), new("JOB"), new("URI", Wide: true)];

    /// <summary>What is pending first, then what is durable, the newest first.</summary>
    public static TextTable Build(IEnumerable<Storage> storages, IEnumerable<TrainingJob> jobs, DateTime now)
    {
        var shown = storages.ToList();
        var names = shown.Select(storage => storage.Metadata.Name).ToHashSet(StringComparer.Ordinal);
        var pending = jobs.Where(job => !job.HasEnded() && job.Status?.Checkpoint?.PendingBytes > 0).SelectMany(job =>
            (job.Spec.Mounts ?? []).Where(mount => mount is { Mode: MountMode.MountCached, Storage: { } name } && names.Contains(name)).Take(1)
                .Select(mount => new[] { mount.Storage!, "-", Pending, Sizes.Short(job.Status!.Checkpoint!.PendingBytes), "-", job.Metadata.Name, "-" }));
        var durable = shown.SelectMany(storage => (storage.Status?.Checkpoints ?? []).Select(checkpoint => (Storage: storage.Metadata.Name, Checkpoint: checkpoint)))
            .OrderByDescending(one => one.Checkpoint.DurableAt).ThenBy(one => one.Storage, StringComparer.Ordinal)
            .Select(one => new[] { one.Storage, one.Checkpoint.Name, Durable, Sizes.Short(one.Checkpoint.Bytes), one.Checkpoint.DurableAt is { } at ? Ages.Short(now - at) : "-", "-", one.Checkpoint.Uri ?? "-" });
        return new TextTable(Columns, [.. pending, .. durable]);
    }
}
