using System.Text.Json;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>Shapes of the jobs: a pod is made once for every spec and not for every status, and equal shapes are one object. For one thread.</summary>
/// <param name="podOf">The pod of any rank of a job; <see cref="ArgumentException"/> when it can't be.</param>
/// <param name="log">Where jobs without a pod are told.</param>
internal sealed class KnownShapes(Func<TrainingJob, V1Pod> podOf, ILogger log)
{
    private const int MostStale = 1000;

    private readonly Dictionary<string, (long? Generation, Shape Shape)> _ofJob = [];
    private readonly Dictionary<Shape, Shape> _same = [];

    /// <summary>Shape of a job; null when no pod can be made of it.</summary>
    public Shape? Of(TrainingJob job)
    {
        if (_ofJob.TryGetValue(job.Metadata.Uid, out var known) && known.Generation == job.Metadata.Generation) return known.Shape;
        try
        {
            var made = Shape.Of(podOf(job).Spec);
            var shape = _same.TryGetValue(made, out var same) ? same : _same[made] = made;
            _ofJob[job.Metadata.Uid] = (job.Metadata.Generation, shape);
            return shape;
        }
        catch (Exception error) when (error is ArgumentException or FormatException or JsonException or InvalidOperationException)
        {
            OperatorLog.NoShape(log, job.Key(), error.Message);
            return null;
        }
    }

    /// <summary>Forgets jobs that are gone, once they are many.</summary>
    public void Keep(IReadOnlyCollection<TrainingJob> jobs)
    {
        if (_ofJob.Count <= jobs.Count + MostStale) return;
        var there = jobs.Select(job => job.Metadata.Uid).ToHashSet();
        foreach (var uid in _ofJob.Keys.Where(uid => !there.Contains(uid)).ToList()) _ofJob.Remove(uid);
        _same.Clear();
        foreach (var (_, shape) in _ofJob.Values) _same.TryAdd(shape, shape);
    }
}
