using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>
/// Lets pods of replicas go to the nodes that a pass gave them, and knows of it before the caches do. When it is not known
/// whether a release arrived, the pod is read before anything else is decided, so that its node is not given away twice.
/// </summary>
internal sealed class ReplicaReleases(IKubeApi api, IObjectCache<NodeView> nodes, ILogger log)
{
    private const int Writers = 16;

    // By uid of the pod: the version that was written over, and what was written.
    private readonly ConcurrentDictionary<string, (string Before, PodView Written)> _written = [];
    private readonly ConcurrentDictionary<string, PodView> _unsure = [];

    /// <summary>The pods as they are known best.</summary>
    public IEnumerable<PodView> Newest(IEnumerable<PodView> cached) => _written.IsEmpty ? cached : cached.Select(Newest);

    /// <summary>Reads the pods whose release may or may not have arrived.</summary>
    public async Task MakeSureAsync(CancellationToken ct)
    {
        foreach (var (uid, pod) in _unsure)
        {
            if (await api.FindAsync<PodView>(pod.Key(), ct) is { } now && now.Metadata.Uid == uid && now.Metadata.ResourceVersion != pod.Metadata.ResourceVersion) _written[uid] = (pod.Metadata.ResourceVersion, now);
            _unsure.TryRemove(uid, out _);
        }
    }

    /// <summary>Lets go what was admitted; what changed meanwhile is left to the next pass.</summary>
    public async Task WriteAsync(IEnumerable<AdmittedJob> admitted, CancellationToken ct)
    {
        foreach (var (job, places) in admitted.Where(one => one.Job.Replica is not null))
        {
            OperatorLog.ReplicaAdmitted(log, job.Job, places.Count);
            var pinned = job.Replica!.Waiting.Zip(places);
            await Parallel.ForEachAsync(pinned, new ParallelOptions { MaxDegreeOfParallelism = Writers, CancellationToken = ct }, async (one, token) => await ReleaseAsync(one.First, one.Second, token));
        }
    }

    private PodView Newest(PodView cached)
    {
        if (!_written.TryGetValue(cached.Metadata.Uid ?? "", out var known)) return cached;
        if (cached.Metadata.ResourceVersion == known.Before) return known.Written;
        _written.TryRemove(cached.Metadata.Uid!, out _);
        return cached;
    }

    private async Task ReleaseAsync(PodView pod, string node, CancellationToken ct)
    {
        try
        {
            var written = await api.PatchAsync<PodView>(pod.Key(), PodRelease.Of(pod, node, nodes, pod.Metadata.ResourceVersion), ct);
            _written[pod.Metadata.Uid] = (pod.Metadata.ResourceVersion, written);
        }
        catch (KubeApiException error) when (error.IsConflict || error.IsNotFound)
        {
            // It changed or went meanwhile.
        }
        catch
        {
            _unsure[pod.Metadata.Uid] = pod;
            throw;
        }
    }
}
