using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.InferenceServices;

/// <summary>Makes and keeps what a service consists of beside pods. Objects of others are never touched.</summary>
[EntityRbac("", "secrets", "get,create")]
[EntityRbac("", "configmaps,serviceaccounts,services", "get,create,patch")]
[EntityRbac("rbac.authorization.k8s.io", "roles,rolebindings", "get,create,patch")]
[EntityRbac("policy", "poddisruptionbudgets", "get,create,patch")]
[EntityRbac("networking.k8s.io", "networkpolicies", "get,create,patch,delete")]
internal sealed class ServiceParts(IKubeApi api, InferenceService service)
{
    /// <summary>Tells whether anything changed since it was applied.</summary>
    /// <param name="fewest">Ready replicas that a drain must leave.</param>
    public string Hash(int fewest) => string.Join('\n',
    [
        KubernetesJson.Serialize(ServiceObjects.Role(service)),
        .. ServiceObjects.Services(service).Select(one => KubernetesJson.Serialize(one)),
        KubernetesJson.Serialize(ServiceObjects.Budget(service, fewest)),
        KubernetesJson.Serialize(GatewayNetwork.Policy(service)),
        ReplicaNetwork.Policy(service) is { } policy ? KubernetesJson.Serialize(policy) : "open",
    ]);

    /// <summary>Applies everything. Gives what stands in the way; null for nothing.</summary>
    public async Task<Obstacle?> EnsureAsync(int fewest, CancellationToken ct)
    {
        foreach (var one in ServiceObjects.Services(service))
        {
            if (!await ApplyAsync(one, ct)) return Taken("Service", one.Metadata.Name);
        }

        if (!await MakeTokenAsync(ct)) return Taken("Secret", Names.Gateway(service.Metadata.Name));
        if (!await ApplyAsync(ServiceObjects.Account(service), ct)) return Taken("ServiceAccount", Names.Gateway(service.Metadata.Name));
        if (!await ApplyAsync(ServiceObjects.Role(service), ct)) return Taken("Role", Names.Gateway(service.Metadata.Name));
        if (!await ApplyAsync(ServiceObjects.Binding(service), ct)) return Taken("RoleBinding", Names.Gateway(service.Metadata.Name));
        if (!await ApplyAsync(ServiceObjects.Budget(service, fewest), ct)) return Taken("PodDisruptionBudget", service.Metadata.Name);
        if (!await ApplyAsync(GatewayNetwork.Policy(service), ct)) return Taken("NetworkPolicy", Names.Gateway(service.Metadata.Name));
        return await GuardAsync(ct) ? null : Taken("NetworkPolicy", Names.ReplicasService(service.Metadata.Name));
    }

    /// <summary>Writes the list of replicas. Gives what stands in the way; null for nothing.</summary>
    public async Task<Obstacle?> PublishAsync(V1ConfigMap endpoints, CancellationToken ct) => await ApplyAsync(endpoints, ct) ? null : Taken("ConfigMap", endpoints.Metadata.Name);

    private async Task<bool> GuardAsync(CancellationToken ct)
    {
        if (ReplicaNetwork.Policy(service) is { } policy) return await ApplyAsync(policy, ct);
        var key = new ObjectKey(service.Metadata.NamespaceProperty, Names.ReplicasService(service.Metadata.Name));
        if (await api.FindAsync<V1NetworkPolicy>(key, ct) is { } old && old.IsControlledBy(service)) await api.DeleteAsync<V1NetworkPolicy>(key, new Deletion { Uid = old.Metadata.Uid }, ct);
        return true;
    }

    // Made once: whoever holds the old one must not be shut out.
    private async Task<bool> MakeTokenAsync(CancellationToken ct)
    {
        var secret = ServiceObjects.Token(service);
        return await CreateAsync(secret, ct) || (await api.FindAsync<V1Secret>(secret.Key(), ct))?.IsControlledBy(service) == true;
    }

    private async Task<bool> ApplyAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (await CreateAsync(item, ct)) return true;
        if (await api.FindAsync<T>(item.Key(), ct) is not { } known || !known.IsControlledBy(service)) return false;
        await api.PatchAsync<T>(item.Key(), new Patch(PatchKind.Apply, JsonNode.Parse(KubernetesJson.Serialize(item))!) { FieldManager = Names.FieldManager }, ct);
        return true;
    }

    // False when the name is taken.
    private async Task<bool> CreateAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            await api.CreateAsync(item, ct);
            return true;
        }
        catch (KubeApiException error) when (error.IsAlreadyExists)
        {
            return false;
        }
    }

    private static Obstacle Taken(string kind, string name) => new("NameTaken", $"{kind} {name} is there already and is not of this service; delete it, or rename the service");
}
