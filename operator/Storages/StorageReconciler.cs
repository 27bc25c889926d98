using System.Text.Json;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Storages;

/// <summary>Says of every storage whether it can be used and what is in it; looks again while jobs use it.</summary>
/// <param name="api">The API server.</param>
/// <param name="storages">All storages.</param>
/// <param name="jobs">All jobs.</param>
/// <param name="pods">All pods.</param>
/// <param name="mounts">What cache mounts say of themselves.</param>
/// <param name="settings">What all pods have in common.</param>
/// <param name="time">The clock.</param>
public sealed class StorageReconciler(IKubeApi api, IObjectCache<Storage> storages, IObjectCache<TrainingJob> jobs, IObjectCache<PodView> pods, MountReports mounts, Func<PodSettings> settings, TimeProvider time) : IReconciler
{
    private const int MaxFiles = 100_000;

    private static readonly TimeSpan Again = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    public async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (storages.Find(key) is not { } storage || storage.IsDeleting()) return null;
        return storage.Spec.File is { } file ? await LookAsync(storage, file, ct) : await LookAsync(storage, ct);
    }

    private async Task<TimeSpan?> LookAsync(Storage storage, FileStorage file, CancellationToken ct)
    {
        var content = DirectoryContent.Read(file.Path, MaxFiles);
        if (!await WriteAsync(storage, StoragePlanner.Status(storage, content, time.GetUtcNow()), ct)) return null;
        return content.Error is not null || StoragePlanner.InUse(storage, jobs.Items) ? Again : null;
    }

    private async Task<TimeSpan?> LookAsync(Storage storage, CancellationToken ct)
    {
        var podKey = new ObjectKey(storage.Metadata.NamespaceProperty, Names.StorageLookPod(storage.Metadata.Name));
        var pod = pods.Find(podKey) is { } found && found.ControllerOwner()?.Uid == storage.Metadata.Uid ? found : null;
        var users = jobs.Items.Where(job => StoragePlanner.Used(job).Contains(storage.Key())).ToList();
        var now = time.GetUtcNow();
        var (step, again) = BucketLook.Next(storage, pod, users, now);
        if (pod is not null && step != LookStep.Discard && BucketLook.Finding(pod) is { } finding)
        {
            if (!await WriteAsync(storage, StoragePlanner.Status(storage, finding, now), ct)) return null;
        }
        else if (StoragePlanner.With(storage, Reported(users)) is { } status)
        {
            await WriteAsync(storage, status, ct);
        }

        if (step == LookStep.Start && !await StartAsync(storage, ct)) return Again;
        if (step is LookStep.Take or LookStep.Discard) await api.DeleteAsync<PodView>(podKey, new Deletion { Uid = pod!.Metadata.Uid }, ct);
        return users.Count > 0 && !(again < Again) ? Again : again;
    }

    // False: another pod has the name, or there may be none of ours here for now.
    private async Task<bool> StartAsync(Storage storage, CancellationToken ct)
    {
        var common = settings();
        if (common.NodeImage is null && common.DefaultImage is null)
        {
            await WriteAsync(storage, StoragePlanner.Status(storage, BucketFinding.Failed(time.GetUtcNow().UtcDateTime, "the operator has no image to look into buckets with; give it the setting nodeImage"), time.GetUtcNow()), ct);
            return false;
        }

        try
        {
            await api.CreateAsync(BucketLook.Pod(storage, common), ct);
            return true;
        }
        catch (KubeApiException error) when (error.IsAlreadyExists)
        {
            return false;
        }
        catch (KubeApiException error) when (error.IsForbidden || error.IsInvalid)
        {
            await WriteAsync(storage, StoragePlanner.Status(storage, BucketFinding.Failed(time.GetUtcNow().UtcDateTime, $"no pod can be made that looks into it: {error.Message}"), time.GetUtcNow()), ct);
            return false;
        }
    }

    private IEnumerable<DurableCheckpoint> Reported(IEnumerable<TrainingJob> users) => users.SelectMany(job =>
        mounts.Of(job.Metadata.Uid, job.Status?.Attempt ?? 0).SelectMany(mount => job.Spec.Mounts?.ElementAtOrDefault(mount.Mount) is { Storage: not null } told
            ? mount.Report.Checkpoints.Select(checkpoint => told.SubPath is { Length: > 0 } sub ? checkpoint with { Name = $"{sub.TrimEnd('/')}/{checkpoint.Name}" } : checkpoint)
            : []));

    /// <summary>False when it changed meanwhile, and the watch will call again.</summary>
    private async Task<bool> WriteAsync(Storage storage, StorageStatus status, CancellationToken ct)
    {
        if (storage.Status is not null && Text(status) == Text(storage.Status)) return true;
        try
        {
            await api.ReplaceStatusAsync(new Storage { Metadata = storage.Metadata, Spec = storage.Spec, Status = status }, ct);
            return true;
        }
        catch (KubeApiException error) when (error.IsConflict || error.IsNotFound)
        {
            return false;
        }
    }

    private static string Text(StorageStatus status) => JsonSerializer.Serialize(new Storage { Status = status }, TrestleJson.Default.Storage);
}
