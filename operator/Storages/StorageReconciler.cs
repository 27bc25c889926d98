using System.Text.Json;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Storages;

/// <summary>Says of every storage whether it can be used and what is in it; looks again while jobs use it.</summary>
public sealed class StorageReconciler(IKubeApi api, IObjectCache<Storage> storages, IObjectCache<TrainingJob> jobs, TimeProvider time) : IReconciler
{
    private const int MaxFiles = 100_000;

    private static readonly TimeSpan Again = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    public async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (storages.Find(key) is not { } storage || storage.IsDeleting()) return null;
        var content = storage.Spec.File is { } file ? DirectoryContent.Read(file.Path, MaxFiles) : null;
        var status = StoragePlanner.Status(storage, content, time.GetUtcNow());
        if (!Same(status, storage.Status) && !await WriteAsync(storage, status, ct)) return null;
        return storage.Spec.File is not null && (content?.Error is not null || StoragePlanner.InUse(storage, jobs.Items)) ? Again : null;
    }

    /// <summary>False when it changed meanwhile, and the watch will call again.</summary>
    private async Task<bool> WriteAsync(Storage storage, StorageStatus status, CancellationToken ct)
    {
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

    private static bool Same(StorageStatus now, StorageStatus? before) => before is not null && Text(now) == Text(before);

    private static string Text(StorageStatus status) => JsonSerializer.Serialize(new Storage { Status = status }, TrestleJson.Default.Storage);
}
