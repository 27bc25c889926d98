using System.Collections.Immutable;

namespace Trestle.Local.ApiServer;

/// <summary>The kinds served at this moment: the built-in ones and those of the registered CRDs.</summary>
internal sealed class ResourceCatalog
{
    private ImmutableDictionary<(string Group, string Version, string Plural), ResourceDefinition> _byPath;

    public ResourceCatalog(IEnumerable<ResourceDefinition> builtIn) =>
        _byPath = builtIn.ToImmutableDictionary(r => (r.Group, r.Version, r.Plural));

    public IEnumerable<ResourceDefinition> All => _byPath.Values;

    public ResourceDefinition? Find(string group, string version, string plural) => _byPath.GetValueOrDefault((group, version, plural));

    public ResourceDefinition? FindKind(string apiVersion, string kind) => _byPath.Values.FirstOrDefault(r => r.ApiVersion == apiVersion && r.Kind == kind);

    public ResourceDefinition? FindStored(string storageKey) => _byPath.Values.FirstOrDefault(r => r.StorageKey == storageKey);

    public bool HasGroupVersion(string group, string version) => _byPath.Keys.Any(k => k.Group == group && k.Version == version);

    public void Put(ResourceDefinition resource) =>
        ImmutableInterlocked.AddOrUpdate(ref _byPath, (resource.Group, resource.Version, resource.Plural), resource, (_, _) => resource);

    public void Remove(string group, string plural)
    {
        foreach (var key in _byPath.Keys.Where(k => k.Group == group && k.Plural == plural)) ImmutableInterlocked.TryRemove(ref _byPath, key, out _);
    }
}
