using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>Keeps the catalog in step with the CustomResourceDefinitions, and removes the objects of a deleted one.</summary>
internal sealed class CustomKinds(ServerParts parts)
{
    public const string Resource = "apiextensions.k8s.io/customresourcedefinitions";
    private readonly HashSet<string> _dropped = new(StringComparer.Ordinal);

    public void Load()
    {
        foreach (var stored in parts.Store.List(Resource).Items.Values) Register(stored, parts.Catalog, parts.Store);
    }

    public static void Register(StoredObject stored, ResourceCatalog catalog, ObjectStore store)
    {
        if (CrdRules.ToResource(stored.Parse()) is not { } resource) return;
        store.Declare(resource.StorageKey);
        catalog.Put(resource);
    }

    /// <summary>Serves a definition that was just written and says so in its status.</summary>
    public static async Task EstablishAsync(ResourceDefinition definitions, StoredObject stored, ServerParts parts)
    {
        Register(stored, parts.Catalog, parts.Store);
        var content = stored.Parse();
        if (JsonNode.DeepEquals(content.Object("status").Object("acceptedNames"), content.Object("spec").Object("names"))) return;
        await parts.Writer.ChangeAsync(definitions, stored.Key, (_, next) =>
        {
            CrdRules.Accept(next, parts.Time.GetUtcNow());
            return (next, false);
        }, WriteOptions.Internal("kube-apiserver", "status"));
    }

    public void Observe(WatchEvent change)
    {
        if (change.Kind != ChangeKind.Deleted) return;
        var spec = change.Current!.Parse().Object("spec");
        var group = spec.Text("group") ?? "";
        var plural = spec.Object("names").Text("plural") ?? "";
        if (parts.Store.Get(Resource, change.Current.Key) is not null) return;
        parts.Catalog.Remove(group, plural);
        _dropped.Add(group + "/" + plural);
    }

    /// <summary>Objects nobody can reach any more are taken out of the store, finalizers or not.</summary>
    public async Task WorkAsync()
    {
        foreach (var resource in _dropped.ToArray())
        {
            foreach (var item in parts.Store.List(resource).Items.Values) await parts.Store.DeleteAsync(resource, item, item.Parse());
            if (parts.Store.List(resource).Items.IsEmpty) _dropped.Remove(resource);
        }
    }
}
