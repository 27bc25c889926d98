using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>What is in a store.</summary>
/// <param name="Bytes">Of all objects that were looked at.</param>
/// <param name="Objects">Objects that were looked at.</param>
/// <param name="IsComplete">False: there are more.</param>
/// <param name="WriteError">Why nothing can be written; null when it can.</param>
/// <param name="Checkpoints">Durable ones, the newest first.</param>
internal sealed record StoreContent(long Bytes, long Objects, bool IsComplete, string? WriteError, IReadOnlyList<Manifest> Checkpoints);

/// <summary>Looks into a store: whether it can be read and written, and what is in it.</summary>
internal static class Inspection
{
    private const string Probe = ".trestle/probe";
    private const int Side = 16;

    /// <summary>Lists up to so many objects, and reads as many manifests as there are.</summary>
    /// <exception cref="StoreException">It can't be read.</exception>
    public static async Task<StoreContent> LookAsync(IObjectStore store, long most, CancellationToken ct)
    {
        var (bytes, objects, isComplete) = (0L, 0L, true);
        await foreach (var listed in store.ListAsync("", ct))
        {
            if (objects == most)
            {
                isComplete = false;
                break;
            }

            if (listed.Key.StartsWith(Manifest.Root, StringComparison.Ordinal)) continue;
            (bytes, objects) = (bytes + listed.Size, objects + 1);
        }

        return new StoreContent(bytes, objects, isComplete, await WriteAsync(store, ct), await ManifestsAsync(store, ct));
    }

    private static async Task<string?> WriteAsync(IObjectStore store, CancellationToken ct)
    {
        try
        {
            await store.PutAsync(Probe, ObjectBody.Of(ReadOnlyMemory<byte>.Empty), new Dictionary<string, string>(StringComparer.Ordinal), ct);
            await store.DeleteAsync(Probe, ct);
            return null;
        }
        catch (StoreException error) when (error.Problem is StoreProblem.Denied or StoreProblem.Refused)
        {
            return StoreAdvice.Of(error, store.Name, endpoint: null);
        }
    }

    private static async Task<IReadOnlyList<Manifest>> ManifestsAsync(IObjectStore store, CancellationToken ct)
    {
        var found = new List<Manifest>();
        await foreach (var page in store.ListAsync(Manifest.Folder, ct).Chunk(Side).WithCancellation(ct))
        {
            foreach (var manifest in await Task.WhenAll(page.Select(listed => ReadAsync(store, listed, ct))))
            {
                if (manifest is not null) found.Add(manifest);
            }
        }

        return [.. found.OrderByDescending(manifest => manifest.DurableAt)];
    }

    private static async Task<Manifest?> ReadAsync(IObjectStore store, StoredObject listed, CancellationToken ct)
    {
        try
        {
            return await Manifest.ReadAsync(store, listed, ct);
        }
        catch (StoreException error) when (error.Problem is StoreProblem.NotFound or StoreProblem.Changed)
        {
            return null;
        }
    }
}
