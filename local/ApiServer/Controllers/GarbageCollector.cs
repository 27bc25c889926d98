using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>
/// Deletes objects whose owners are all gone, holds an owner deleted in the foreground until the dependents that
/// block it are gone, and takes the owner reference off the dependents of one deleted as an orphan.
/// </summary>
internal sealed class GarbageCollector(ServerParts parts)
{
    private readonly Dictionary<string, ObjectId> _live = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<ObjectId>> _dependents = new(StringComparer.Ordinal);
    private readonly Dictionary<ObjectId, IReadOnlyList<OwnerReference>> _owners = [];
    private readonly Queue<ObjectId> _toCheck = new();
    private readonly HashSet<ObjectId> _deletedOwners = [];

    public void Load()
    {
        foreach (var resource in parts.Store.Resources)
        {
            foreach (var item in parts.Store.List(resource).Items.Values) Index(new ObjectId(resource, item.Key, item.Uid), item);
        }
    }

    public void Observe(WatchEvent change)
    {
        var id = new ObjectId(change.Resource, change.Current!.Key, change.Current.Uid);
        if (change.Kind != ChangeKind.Deleted)
        {
            Index(id, change.Current);
            return;
        }

        _live.Remove(id.Uid);
        _deletedOwners.Remove(id);
        Unlink(id);
        foreach (var dependent in _dependents.GetValueOrDefault(id.Uid) ?? []) _toCheck.Enqueue(dependent);
    }

    public async Task WorkAsync()
    {
        for (var left = _toCheck.Count; left > 0; left--)
        {
            var id = _toCheck.Peek();
            await CheckAsync(id);
            _toCheck.Dequeue();
        }

        foreach (var owner in _deletedOwners.ToArray()) await FinishOwnerAsync(owner);
    }

    private void Index(ObjectId id, StoredObject item)
    {
        _live[id.Uid] = id;
        Unlink(id);
        if (item.Owners.Count > 0)
        {
            _owners[id] = item.Owners;
            foreach (var owner in item.Owners)
            {
                if (!_dependents.TryGetValue(owner.Uid, out var set)) _dependents[owner.Uid] = set = [];
                set.Add(id);
            }

            if (!item.Owners.Any(o => IsLive(o, item.Namespace))) _toCheck.Enqueue(id);
        }

        if (item.IsDeleting && item.Finalizers.Any(f => f is "foregroundDeletion" or "orphan")) _deletedOwners.Add(id);
        else _deletedOwners.Remove(id);
    }

    private void Unlink(ObjectId id)
    {
        if (!_owners.Remove(id, out var owners)) return;
        foreach (var owner in owners)
        {
            if (_dependents.TryGetValue(owner.Uid, out var set) && set.Remove(id) && set.Count == 0) _dependents.Remove(owner.Uid);
        }
    }

    // The index may lag behind the store, never the other way round: the store decides.
    private bool IsLive(OwnerReference owner, string? ns)
    {
        var resource = parts.Catalog.FindKind(owner.ApiVersion, owner.Kind);
        if (resource is null) return _live.ContainsKey(owner.Uid);
        var key = StoredObject.KeyOf(resource.IsNamespaced ? ns : null, owner.Name);
        return parts.Store.Get(resource.StorageKey, key)?.Uid == owner.Uid;
    }

    private async Task CheckAsync(ObjectId id)
    {
        if (parts.Store.Get(id.Resource, id.Key) is not { } item || item.Uid != id.Uid || item.IsDeleting) return;
        if (item.Owners.Count == 0 || item.Owners.Any(o => IsLive(o, item.Namespace))) return;
        await DeleteAsync(id);
    }

    private async Task FinishOwnerAsync(ObjectId id)
    {
        if (parts.Store.Get(id.Resource, id.Key) is not { IsDeleting: true } owner || owner.Uid != id.Uid)
        {
            _deletedOwners.Remove(id);
            return;
        }

        var dependents = (_dependents.GetValueOrDefault(id.Uid) ?? []).ToArray();
        if (owner.Finalizers.Contains("orphan"))
        {
            foreach (var dependent in dependents) await ReleaseAsync(dependent, id.Uid);
            await RemoveFinalizerAsync(owner, id, "orphan");
            return;
        }

        var isBlocked = false;
        foreach (var dependent in dependents)
        {
            if (parts.Store.Get(dependent.Resource, dependent.Key) is not { } item || item.Uid != dependent.Uid) continue;
            var others = item.Owners.Any(o => o.Uid != id.Uid && IsLive(o, item.Namespace));
            if (others) continue;
            isBlocked |= item.Owners.Any(o => o.Uid == id.Uid && o.BlocksDeletion) && !await IsDeletedAsync(dependent, item);
        }

        if (!isBlocked) await RemoveFinalizerAsync(owner, id, "foregroundDeletion");
    }

    private async Task<bool> IsDeletedAsync(ObjectId dependent, StoredObject item)
    {
        if (!item.IsDeleting) await DeleteAsync(dependent);
        return parts.Store.Get(dependent.Resource, dependent.Key)?.Uid != dependent.Uid;
    }

    private async Task DeleteAsync(ObjectId id)
    {
        if (parts.Catalog.FindStored(id.Resource) is not { } resource) return;
        try
        {
            await parts.Remover.DeleteAsync(resource, id.Key, DeleteOptions.Background with { Uid = id.Uid });
        }
        catch (ApiException e) when (e.Code is 404 or 409)
        {
            // It went, or another took its name.
        }
    }

    private Task ReleaseAsync(ObjectId dependent, string ownerUid) => ChangeAsync(dependent, metadata =>
    {
        var kept = (metadata.Array("ownerReferences") ?? []).OfType<JsonObject>().Where(o => o.Text("uid") != ownerUid).Select(o => o.DeepClone()).ToArray();
        if (kept.Length > 0) metadata["ownerReferences"] = new JsonArray(kept);
        else metadata.Remove("ownerReferences");
    });

    private Task RemoveFinalizerAsync(StoredObject owner, ObjectId id, string finalizer) => !owner.Finalizers.Contains(finalizer)
        ? Task.CompletedTask
        : ChangeAsync(id, metadata =>
        {
            var kept = (metadata.Array("finalizers") ?? []).Where(f => f.AsText() != finalizer).Select(f => f?.DeepClone()).ToArray();
            if (kept.Length > 0) metadata["finalizers"] = new JsonArray(kept);
            else metadata.Remove("finalizers");
        });

    private async Task ChangeAsync(ObjectId id, Action<JsonObject> change)
    {
        if (parts.Catalog.FindStored(id.Resource) is not { } resource) return;
        try
        {
            await parts.Writer.ChangeAsync(resource, id.Key, (stored, content) =>
            {
                if (stored.Uid != id.Uid) throw ApiException.NotFound(resource, stored.Name);
                change(content.Ensure("metadata"));
                return (content, false);
            }, WriteOptions.Internal("kube-controller-manager"));
        }
        catch (ApiException e) when (e.Code == 404)
        {
            // It went meanwhile.
        }
    }

    private readonly record struct ObjectId(string Resource, string Key, string Uid);
}
