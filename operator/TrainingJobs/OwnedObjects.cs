using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.TrainingJobs;

/// <summary>Objects that belong to a job.</summary>
internal static class OwnedObjects
{
    /// <summary>Creates an object of a job. False when an object of another owner has the name, e.g. of a deleted job that is still being cleaned up.</summary>
    public static async Task<bool> MakeOwnedAsync<T>(this IKubeApi api, T item, TrainingJob owner, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            await api.CreateAsync(item, ct);
            return true;
        }
        catch (KubeApiException error) when (error.IsAlreadyExists)
        {
            return await api.FindAsync<T>(item.Key(), ct) is { } known && known.IsControlledBy(owner);
        }
    }
}
