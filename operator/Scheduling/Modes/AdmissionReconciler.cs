using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>
/// For jobs that another system admits: carries out what their mode plans. What happens to the pods is the business of
/// <see cref="TrainingJobReconciler"/>, which reads it from the status.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="jobs">All jobs.</param>
/// <param name="pods">All pods of jobs, with the index <see cref="PodFacts.JobUidIndex"/>.</param>
/// <param name="nodes">All nodes.</param>
/// <param name="modes">The modes.</param>
/// <param name="events">Where people are told of admissions.</param>
/// <param name="time">The clock.</param>
internal sealed class AdmissionReconciler(
    IKubeApi api, IObjectCache<TrainingJob> jobs, IObjectCache<PodView> pods, IObjectCache<NodeView> nodes, AdmissionModes modes, IEventRecorder events, TimeProvider time) : IReconciler
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (jobs.Find(key) is not { } job || job.Status?.SchedulingMode is null or SchedulingMode.Operator || job.Status.IsOnSlurm()) return null;
        try
        {
            return await CarryOutAsync(job, Plan(job), ct);
        }
        catch (KubeApiException error) when (error.IsConflict || error.IsNotFound)
        {
            return LookAgain; // the watch is on its way with what is newer
        }
    }

    private ModePlan Plan(TrainingJob job)
    {
        var mode = modes.Of(job);
        if (mode.Missing is not { } missing) return mode.Plan(Observe(job), time.GetUtcNow());
        var plan = job.IsWanted() && job.WaitsForAttempt() ? ModePlan.Write(ModeStatuses.Waiting(job, "SchedulerMissing", missing)) : ModePlan.Nothing;
        return plan with { RequeueAfter = ModeInformers.Interval };
    }

    private async Task<TimeSpan?> CarryOutAsync(TrainingJob job, ModePlan plan, CancellationToken ct)
    {
        if (plan.Status is not null) await WriteAsync(job, plan.Status, plan.Event, ct);
        foreach (var change in plan.Changes)
        {
            if (await change.ApplyAsync(api, job, ct)) continue;
            var taken = ModeStatuses.Waiting(job, "NameTaken", $"an object that is not of this job has the name of its Workload; delete Workload {Kueue.WorkloadBuilder.Name(job)}, or rename the job");
            if (taken is not null) await WriteAsync(job, taken, null, ct);
            return LookAgain;
        }

        return plan.RequeueAfter;
    }

    private async Task WriteAsync(TrainingJob job, TrainingJobStatus status, PhaseEvent? told, CancellationToken ct)
    {
        var written = await api.ReplaceStatusAsync(new TrainingJob { Metadata = job.Metadata, Spec = job.Spec, Status = status }, ct);
        if (told is not null) events.Record(written, told.Warning, told.Reason, told.Message);
    }

    private Observed Observe(TrainingJob job)
    {
        var own = pods.Where(PodFacts.JobUidIndex, job.Metadata.Uid);
        return new Observed(job, own) { LostNodes = own.Select(pod => pod.Spec.NodeName).OfType<string>().Distinct().Where(node => !NodeFacts.IsReady(nodes, node)).ToHashSet(StringComparer.Ordinal) };
    }
}
