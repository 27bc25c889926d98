using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>One change of an object that another system reads. May be done again.</summary>
internal abstract record ObjectChange
{
    /// <summary>Does it; false when an object of another owner is in the way.</summary>
    public abstract Task<bool> ApplyAsync(IKubeApi api, TrainingJob owner, CancellationToken ct);
}

/// <summary>Makes an object of the job's.</summary>
internal sealed record CreateObject<T>(T Item) : ObjectChange
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public override Task<bool> ApplyAsync(IKubeApi api, TrainingJob owner, CancellationToken ct) => api.MakeOwnedAsync(Item, owner, ct);
}

/// <summary>Changes an object or a subresource of it, in one request.</summary>
internal sealed record PatchObject<T>(ObjectKey Key, Patch Patch) : ObjectChange
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public override async Task<bool> ApplyAsync(IKubeApi api, TrainingJob owner, CancellationToken ct)
    {
        await api.PatchAsync<T>(Key, Patch, ct);
        return true;
    }
}

/// <summary>Deletes an object.</summary>
internal sealed record DeleteObject<T>(ObjectKey Key, string Uid) : ObjectChange
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public override async Task<bool> ApplyAsync(IKubeApi api, TrainingJob owner, CancellationToken ct)
    {
        await api.DeleteAsync<T>(Key, new Deletion { Uid = Uid }, ct);
        return true;
    }
}
