using System.Net;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Telemetry;

/// <summary>An API server of which an informer of jobs sees one list after the other, each with a watch until it is too old.</summary>
internal sealed class JobWatch : IKubeApi
{
    private Channel<TrainingJob> _changes = Channel.CreateUnbounded<TrainingJob>();
    private int _version = 100;

    public List<TrainingJob> Jobs { get; } = [];

    /// <summary>Changes a job, or adds it, and tells the watch.</summary>
    public TrainingJob Tell(TrainingJob job)
    {
        Put(job);
        _changes.Writer.TryWrite(job);
        return job;
    }

    /// <summary>Changes a job, or adds it, while nobody watches.</summary>
    public void Put(TrainingJob job)
    {
        job.Metadata.ResourceVersion = $"{++_version}";
        Jobs.RemoveAll(known => known.Key() == job.Key());
        Jobs.Add(job);
    }

    /// <summary>The watch is too old: everything is listed again.</summary>
    public void Expire()
    {
        var old = _changes;
        _changes = Channel.CreateUnbounded<TrainingJob>();
        old.Writer.Complete(new KubeApiException(HttpStatusCode.Gone, "Expired", "too old resource version"));
    }

    public Task<KubeList<T>> ListAsync<T>(Selection selection, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => Task.FromResult(new KubeList<T>([.. Jobs.OfType<T>()], $"{_version}"));

    public async IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(Selection selection, string resourceVersion, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        await foreach (var job in _changes.Reader.ReadAllAsync(ct)) yield return new WatchEvent<T>(Trestle.Runtime.WatchEventType.Modified, (T)(object)job, job.Metadata.ResourceVersion);
    }

    public Task<T?> FindAsync<T>(ObjectKey key, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<T> CreateAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<T> ReplaceAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<T> ReplaceStatusAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<T> PatchAsync<T>(ObjectKey key, Patch patch, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<bool> DeleteAsync<T>(ObjectKey key, Deletion deletion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();

    public Task<JsonNode?> PostAsync<T>(ObjectKey key, string subresource, JsonNode body, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta> => throw new NotSupportedException();
}
