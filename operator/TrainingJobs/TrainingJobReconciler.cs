using System.Collections.Concurrent;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.Scheduling.Modes;
using Trestle.Operator.Slurm;
using Trestle.Operator.Storages;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.TrainingJobs;

/// <summary>
/// Looks at a job and its pods, plans, writes the status once and then does what is to do. The status goes first, so that a
/// decision is never made twice: when somebody else wrote in between, nothing is done and the newer object comes by itself.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="jobs">All jobs.</param>
/// <param name="pods">All pods of jobs, with the index <see cref="PodFacts.JobUidIndex"/>.</param>
/// <param name="storages">All storages.</param>
/// <param name="nodes">All nodes.</param>
/// <param name="settings">What all pods have in common.</param>
/// <param name="rendezvous">The key of the tokens.</param>
/// <param name="heartbeats">What ranks say of their life.</param>
/// <param name="mounts">What cache mounts say of themselves.</param>
/// <param name="events">Where people are told of phases.</param>
/// <param name="time">The clock.</param>
/// <param name="modes">Who admits jobs.</param>
/// <param name="slurm">What is known of Slurm.</param>
public sealed class TrainingJobReconciler(
    IKubeApi api,
    IObjectCache<TrainingJob> jobs,
    IObjectCache<PodView> pods,
    IObjectCache<Storage> storages,
    IObjectCache<NodeView> nodes,
    Func<PodSettings> settings,
    RendezvousKey rendezvous,
    Heartbeats heartbeats,
    MountReports mounts,
    IEventRecorder events,
    TimeProvider time,
    AdmissionModes modes,
    SlurmCaches? slurm = null) : IReconciler
{
    private static readonly Dictionary<int, Heartbeat> NoHeartbeats = [];
    private readonly ConcurrentDictionary<ObjectKey, JobMemory> _memories = [];
    private readonly SlurmCaches _slurm = slurm ?? SlurmCaches.None;

    /// <inheritdoc/>
    public async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (jobs.Find(key) is not { } job)
        {
            _memories.TryRemove(key, out _);
            return null;
        }

        var memory = Remember(job);
        if (memory.IsStale(job)) return JobMemory.Lag;
        try
        {
            return await CarryOutAsync(Observe(job), memory, ct);
        }
        catch (KubeApiException error) when (error.IsConflict)
        {
            return JobMemory.Lag; // the watch is on its way with what is newer
        }
    }

    private async Task<TimeSpan?> CarryOutAsync(Observed seen, JobMemory memory, CancellationToken ct)
    {
        var plan = TrainingJobPlanner.Plan(seen, time.GetUtcNow());
        var isReport = plan is { Event: null, Effects.Count: 0 } && plan.Status?.Reason == seen.Job.Status?.Reason;
        if (plan.Status is not null && isReport && memory.ReportWait(seen.Pods.Count) is var wait && wait > TimeSpan.Zero) return wait;
        var job = plan.Status is null ? seen.Job : await WriteAsync(seen.Job, plan, memory, ct);
        var work = new EffectRunner(api, nodes, settings(), rendezvous, modes.Of(job), seen with { Job = job }, memory);
        foreach (var effect in plan.Effects)
        {
            await work.RunAsync(effect, ct);
            if (work.Refusal is { } refusal && seen.Refusal is null) return await CarryOutAsync(seen with { Job = job, Refusal = refusal }, memory, ct);
        }

        return work.Again is { } again && !(plan.RequeueAfter < again) ? again : plan.RequeueAfter;
    }

    private async Task<TrainingJob> WriteAsync(TrainingJob job, TrainingJobPlan plan, JobMemory memory, CancellationToken ct)
    {
        var written = await api.ReplaceStatusAsync(new TrainingJob { Metadata = job.Metadata, Spec = job.Spec, Status = plan.Status }, ct);
        memory.Wrote(job);
        if (plan.Event is { } told) events.Record(written, told.Warning, told.Reason, told.Message);
        return written;
    }

    private Observed Observe(TrainingJob job)
    {
        var common = settings();
        var own = pods.Where(PodFacts.JobUidIndex, job.Metadata.Uid);
        return new Observed(job, own)
        {
            Storages = StoragePlanner.Used(job).Select(storages.Find).OfType<Storage>().ToDictionary(storage => storage.Metadata.Name),
            MakesStorages = common.StorageRoot is not null,
            DefaultImage = common.DefaultImage,
            StartTimeout = common.StartTimeout,
            Heartbeats = job.HangTimeout is null ? NoHeartbeats : heartbeats.Of(job.Metadata.Uid, job.Status?.Attempt ?? 0),
            Mounts = mounts.Of(job.Metadata.Uid, job.Status?.Attempt ?? 0),
            LostNodes = own.Select(pod => pod.Spec.NodeName).OfType<string>().Distinct().Where(node => !NodeFacts.IsReady(nodes, node)).ToHashSet(),
            Admission = modes.Choose(job),
            SlurmJobs = _slurm.JobsOf(job),
            Clusters = _slurm.ClustersOf(job),
            Group = _slurm.GroupOf(job),
        };
    }

    private JobMemory Remember(TrainingJob job)
    {
        var memory = _memories.AddOrUpdate(job.Key(), _ => new JobMemory(time, job.Metadata.Uid), (_, known) => known.IsOf(job) ? known : new JobMemory(time, job.Metadata.Uid));
        memory.Prune();
        return memory;
    }
}
