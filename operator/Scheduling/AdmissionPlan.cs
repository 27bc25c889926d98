using System.Text.Json;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Storages;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>
/// One admission pass over lists of objects, without a cluster: what the operator would decide now. Pure. Jobs count by their
/// status: those of phase Queued or Restarting wait, those with an admission hold nodes; a job without a status is not looked at.
/// </summary>
public static class AdmissionPlan
{
    /// <summary>Decides about all jobs that wait.</summary>
    /// <param name="jobs">All jobs.</param>
    /// <param name="groups">All groups.</param>
    /// <param name="queues">All queues.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="pods">All pods, of others as well.</param>
    /// <param name="now">The time.</param>
    /// <param name="options">How it decides.</param>
    public static AdmissionDecision Make(
        IReadOnlyCollection<TrainingJob> jobs, IReadOnlyCollection<JobGroup> groups, IReadOnlyCollection<Queue> queues, IReadOnlyCollection<NodeView> nodes, IReadOnlyCollection<PodView> pods, DateTimeOffset now, AdmissionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var byKey = jobs.ToDictionary(job => job.Key());
        var groupsByKey = groups.ToDictionary(group => group.Key());
        var shapes = new Dictionary<TrainingJob, Shape?>(ReferenceEqualityComparer.Instance);
        var broken = new List<PlannedWait>();
        var pass = Decide(JobCards.Of(jobs, ShapeOf), groupsByKey.GetValueOrDefault, queues, nodes, pods, now, options);
        return new AdmissionDecision(
            [.. pass.Result.Admitted.Select(admitted => new PlannedAdmission(byKey[admitted.Job.Job], admitted.Nodes))],
            [.. pass.Result.Evictions.Select(eviction => new PlannedPreemption(byKey[eviction.Job], eviction.For?.Jobs[0].Job, eviction.IsRestart, eviction.Message))],
            [
                .. pass.Result.Waiting.SelectMany(waiting => waiting.Gang.Jobs.Select(job => new PlannedWait(byKey[job.Job], waiting.Position, waiting.Reason))),
                .. pass.Queue.Held.Select(held => new PlannedWait(held.Job, null, held.Reason)),
                .. broken,
            ])
        {
            Promised = pass.Result.Promised,
        };

        Shape? ShapeOf(TrainingJob job)
        {
            if (shapes.TryGetValue(job, out var known)) return known;
            try
            {
                return shapes[job] = Shape.Of((options.PodOf ?? DefaultPod)(job).Spec);
            }
            catch (Exception error) when (error is ArgumentException or FormatException or JsonException or InvalidOperationException)
            {
                if (GangQueue.Waits(job)) broken.Add(new PlannedWait(job, null, $"its pod can't be made: {error.Message}"));
                return shapes[job] = null;
            }
        }
    }

    internal static Pass Decide(
        JobCards jobs, Func<ObjectKey, JobGroup?> groupOf, IEnumerable<Queue> queues, IEnumerable<NodeView> nodes, IEnumerable<PodView> pods, DateTimeOffset now, AdmissionOptions options, IReadOnlyList<ReplicaClaim>? replicas = null)
    {
        var snapshot = NodeSnapshot.Take(nodes, pods, jobs.Holding, now);
        var quotas = new QuotaBook(queues, snapshot.Nodes);
        var units = RunningUnits.Of(jobs.Holding, groupOf, quotas, now);
        var queue = GangQueue.Of(jobs, groupOf, now, quotas);
        if (replicas is not null) queue = queue.With(replicas, jobs.Job, quotas);
        var input = new PassInput(snapshot, queue.Gangs, quotas) { Units = units, Now = now, StarvationTimeout = options.StarvationTimeout, Promised = options.Promised };
        return new Pass(queue, quotas, AdmissionPass.Run(input));
    }

    // What a pod asks for does not depend on these.
    private static V1Pod DefaultPod(TrainingJob job) => LaunchObjects.Pod(
        job,
        new PodSettings("image", null, "", null),
        StoragePlanner.Used(job).Distinct().ToDictionary(storage => storage.Name, _ => new Storage { Spec = new StorageSpec { File = new FileStorage { Path = "/" } } }),
        0,
        0);

    internal sealed record Pass(GangQueue Queue, QuotaBook Quotas, PassResult Result);
}
