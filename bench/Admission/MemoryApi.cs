using System.Globalization;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Bench.Admission;

/// <summary>A server that takes statuses of jobs and queues and keeps them in the caches of its one client, which is never behind.</summary>
internal sealed class MemoryApi(ObjectStore<TrainingJob> jobs, ObjectStore<Queue> queues) : IKubeApi, IEventRecorder
{
    private int _version;

    /// <summary>Puts a job into the cache as a new object of a new version, as a watch does.</summary>
    public TrainingJob Put(TrainingJob job)
    {
        var known = job.Metadata;
        var metadata = new V1ObjectMeta
        {
            Name = known.Name,
            NamespaceProperty = known.NamespaceProperty,
            Uid = known.Uid,
            Generation = known.Generation,
            CreationTimestamp = known.CreationTimestamp,
            Labels = known.Labels,
            OwnerReferences = known.OwnerReferences,
            ResourceVersion = Interlocked.Increment(ref _version).ToString(CultureInfo.InvariantCulture),
        };
        var next = new TrainingJob { Metadata = metadata, Spec = job.Spec, Status = job.Status };
        jobs.Put(next);
        return next;
    }

    public Task<T> ReplaceStatusAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (item is TrainingJob job) return Task.FromResult((T)(object)Put(job));
        queues.Put((Queue)(object)item);
        return Task.FromResult(item);
    }

    public void Record(IKubernetesObject<V1ObjectMeta> about, bool warning, string reason, string message)
    {
        // Nobody reads them.
    }

    public Task<T?> FindAsync<T>(ObjectKey key, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<KubeList<T>> ListAsync<T>(Selection selection, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(Selection selection, string resourceVersion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<T> CreateAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<T> ReplaceAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<T> PatchAsync<T>(ObjectKey key, Patch patch, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<bool> DeleteAsync<T>(ObjectKey key, Deletion deletion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<JsonNode?> PostAsync<T>(ObjectKey key, string subresource, JsonNode body, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();
}
