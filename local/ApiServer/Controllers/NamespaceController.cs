using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>Gives every namespace its service account and authority, and empties one that is being deleted.</summary>
internal sealed class NamespaceController(ServerParts parts, string caPem)
{
    private const string Resource = "/namespaces";
    private static readonly string[] Initial = ["default", "kube-node-lease", "kube-public", "kube-system", "trestle-system"];

    private readonly HashSet<string> _toEquip = new(StringComparer.Ordinal);
    private readonly HashSet<string> _toEmpty = new(StringComparer.Ordinal);

    public async Task CreateInitialAsync(int port)
    {
        foreach (var name in Initial)
        {
            await CreateAsync("namespaces", null, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } });
            await EquipAsync(name);
        }

        await PublishServerAsync(port);
        foreach (var stored in parts.Store.List(Resource).Items.Values.Where(n => n.IsDeleting)) _toEmpty.Add(stored.Name);
    }

    public void Observe(WatchEvent change)
    {
        if (change.Resource == Resource)
        {
            if (change.Kind == ChangeKind.Added) _toEquip.Add(change.Current!.Name);
            if (change.Current!.IsDeleting && change.Kind != ChangeKind.Deleted) _toEmpty.Add(change.Current.Name);
            else if (change.Kind == ChangeKind.Deleted) _toEmpty.Remove(change.Current.Name);
        }
        else if (change.Kind == ChangeKind.Deleted && change.Resource == "/serviceaccounts" && change.Current!.Name == "default")
        {
            _toEquip.Add(change.Current.Namespace!);
        }
    }

    public async Task WorkAsync()
    {
        foreach (var name in _toEquip.ToArray())
        {
            if (parts.Store.Get(Resource, name) is { IsDeleting: false }) await EquipAsync(name);
            _toEquip.Remove(name);
        }

        foreach (var name in _toEmpty.ToArray()) await EmptyAsync(name);
    }

    private async Task EquipAsync(string ns)
    {
        await CreateAsync("serviceaccounts", ns, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } });
        await CreateAsync("configmaps", ns, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "kube-root-ca.crt" },
            ["data"] = new JsonObject { ["ca.crt"] = caPem },
        });
    }

    private async Task PublishServerAsync(int port)
    {
        var service = parts.Catalog.Find("", "v1", "services")!;
        if (parts.Store.Get(service.StorageKey, "default/kubernetes") is null)
        {
            await CreateAsync("services", "default", new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "kubernetes", ["labels"] = new JsonObject { ["component"] = "apiserver", ["provider"] = "kubernetes" } },
                ["spec"] = new JsonObject { ["clusterIP"] = "10.96.0.1", ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = 443, ["targetPort"] = port }) },
            });
        }
    }

    private async Task EmptyAsync(string ns)
    {
        var left = 0;
        foreach (var resource in parts.Catalog.All.Where(r => r.IsNamespaced).DistinctBy(r => r.StorageKey))
        {
            foreach (var item in parts.Store.List(resource.StorageKey).Items.Values.Where(i => i.Namespace == ns))
            {
                left++;
                if (!item.IsDeleting) left -= await DeleteAsync(resource, item) ? 1 : 0;
            }
        }

        if (left == 0) await FinishAsync(ns);
    }

    private async Task<bool> DeleteAsync(ResourceDefinition resource, StoredObject item)
    {
        try
        {
            var (_, _, isGone) = await parts.Remover.DeleteAsync(resource, item.Key, DeleteOptions.Background);
            return isGone;
        }
        catch (ApiException e) when (e.Code == 404)
        {
            return true;
        }
    }

    private async Task FinishAsync(string ns)
    {
        if (parts.Store.Get(Resource, ns) is not { IsDeleting: true } stored)
        {
            _toEmpty.Remove(ns);
            return;
        }

        if (stored.Finalizers.Count > 0) return;
        var last = stored.Parse();
        last.Object("spec")?.Remove("finalizers");
        if (await parts.Store.DeleteAsync(Resource, stored, last) is not null) _toEmpty.Remove(ns);
    }

    private async Task CreateAsync(string plural, string? ns, JsonObject content)
    {
        var resource = parts.Catalog.Find("", "v1", plural)!;
        content["apiVersion"] = resource.ApiVersion;
        content["kind"] = resource.Kind;
        try
        {
            await parts.Writer.CreateAsync(resource, ns, new ParsedBody(content, []), WriteOptions.Internal("kube-apiserver"));
        }
        catch (ApiException e) when (e.Code is 409 or 403 or 404)
        {
            // It is there already, or its namespace went away.
        }
    }
}
