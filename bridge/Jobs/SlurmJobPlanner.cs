using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Slurm;
using Trestle.Runtime;

namespace Trestle.Bridge.Jobs;

/// <summary>
/// Decides about one job. Order of its life: finalizer, submission, looks into Slurm, end, cleaning. What Slurm did not say changes
/// nothing: no job is ended, sent again or cleaned because nobody answered.
/// </summary>
internal static class SlurmJobPlanner
{
    /// <summary>Between TERM to the steps and the end, when the job doesn't say.</summary>
    public static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(30);

    /// <summary>Between two calls of scancel for a job that is still there.</summary>
    public static readonly TimeSpan BetweenCancels = TimeSpan.FromSeconds(10);

    /// <summary>A job that waits so long without a start in the queue is asked for, and again after the longer time.</summary>
    public static readonly TimeSpan UntilPreflight = TimeSpan.FromSeconds(10);

    /// <summary>Between two questions for the start of a job.</summary>
    public static readonly TimeSpan BetweenPreflights = TimeSpan.FromMinutes(10);

    // So often, and for so long, the queue must not know a job that accounting says nothing of, before it counts as gone.
    private const int LooksUntilGone = 3;
    private static readonly TimeSpan TimeUntilGone = TimeSpan.FromSeconds(120);

    /// <summary>The decision.</summary>
    public static JobPlan Plan(JobScene scene, Moment now)
    {
        var job = scene.Job;
        var draft = new StatusDraft(job, now.Wall);
        var isHeld = job.Metadata.Finalizers?.Contains(Names.SlurmJobFinalizer) == true;
        if (job.IsDeleting() && !isHeld) return new JobPlan(null, JobEffect.None);
        if (draft.HasEnded) return new JobPlan(null, job.IsDeleting() ? JobEffect.Clean : JobEffect.None);
        if (draft.Status.JobId is not null) return Follow(scene, draft, now.Steady);
        return isHeld ? Submit(scene, draft, now.Steady) : Begin(scene, draft);
    }

    private static bool IsStopping(JobScene scene) => scene.Job.IsDeleting() || scene.Job.Spec.Cancel == true;

    private static JobPlan Begin(JobScene scene, StatusDraft draft)
    {
        if (IsStopping(scene)) draft.Say(SlurmJobPhase.Cancelled, "Cancelled", "the job was cancelled before it was sent to Slurm");
        else if (scene.Refusal is { } refusal) draft.Say(SlurmJobPhase.Failed, "Refused", refusal);
        else return new JobPlan(null, JobEffect.AddFinalizer);
        return new JobPlan(draft.Changed, JobEffect.None);
    }

    private static JobPlan Submit(JobScene scene, StatusDraft draft, TimeSpan now)
    {
        var (submission, stopping) = (scene.Submission, IsStopping(scene));
        if (submission.Answer is Submitted { JobId: var id })
        {
            draft.Submitted(id);
            return new JobPlan(draft.Changed, JobEffect.None);
        }

        if (submission is { Answer: not null, IsRuledOut: true } && (stopping || IsHopeless(submission.Answer)))
        {
            if (stopping) draft.Say(SlurmJobPhase.Cancelled, "Cancelled", "the job was cancelled before Slurm had it");
            else draft.Say(SlurmJobPhase.Failed, "Refused", WhyNot(submission.Answer));
            return new JobPlan(draft.Changed, draft.HasEnded && scene.Job.IsDeleting() ? JobEffect.Clean : JobEffect.None);
        }

        // Nothing is written before something is known: for most jobs the first thing is their id.
        if (submission.Answer is not null || scene.Refusal is not null) Tell(scene, draft);
        var status = draft.Status.Phase is null ? null : draft.Changed;
        if (submission.InFlight || scene.Refusal is not null) return new JobPlan(status, JobEffect.None);
        if (submission.NotBefore > now) return new JobPlan(status, JobEffect.None, submission.NotBefore - now);
        return new JobPlan(status, stopping ? JobEffect.Close : JobEffect.Submit);
    }

    private static bool IsHopeless(SubmissionAnswer answer) => answer switch
    {
        Foreign or NeverSubmitted => true,
        SbatchFailed failed => SbatchFailure.FateOf(failed.Text) == SubmissionFate.Refused,
        _ => false,
    };

    private static string WhyNot(SubmissionAnswer answer) => answer switch
    {
        SbatchFailed failed => $"Slurm refuses the job: {SbatchFailure.Sentence(failed.Text)}",
        Foreign => "another job's uid begins with the same 8 letters and has this attempt's directory; create the job anew",
        _ => "the attempt was closed before it was sent; create a new one",
    };

    private static void Tell(JobScene scene, StatusDraft draft)
    {
        var before = draft.Status.Phase ?? SlurmJobPhase.Pending;
        var (reason, message) = (scene.Refusal, scene.Submission.Answer) switch
        {
            ({ } refusal, _) => ("Refused", refusal),
            (_, Blocked blocked) => ("Blocked", blocked.Why),
            (_, NotHeard silent) => ("ContactLost", $"it is not known whether Slurm has the job: {silent.Why}"),
            (_, InDoubt or SbatchFailed) when IsInDoubt(scene.Submission.Answer) => ("InDoubt", "it is not known yet whether Slurm has the job; it is looked for by its name"),
            (_, SbatchFailed failed) => ("Busy", $"Slurm does not take the job now: {SbatchFailure.Sentence(failed.Text)}"),
            _ => (null, null),
        };
        draft.Say(before, reason, message);
        draft.Condition(JobConditions.ContactLost, scene.Submission.Answer is NotHeard, reason ?? "Contact", message ?? "Slurm answered");
    }

    private static bool IsInDoubt(SubmissionAnswer answer) => answer is InDoubt || (answer is SbatchFailed failed && SbatchFailure.FateOf(failed.Text) == SubmissionFate.Ambiguous);

    private static JobPlan Follow(JobScene scene, StatusDraft draft, TimeSpan now)
    {
        switch (scene.Sighting)
        {
            case Seen { Job: var job } seen:
                draft.Take(job, scene.Estimate);
                if (draft.HasEnded) return Ended(scene, draft);
                return IsStopping(scene) ? Stop(scene, draft, job, now) : Wait(scene, draft, seen, now);
            case OutOfSight { Why: var why }:
                draft.Status.Phase ??= SlurmJobPhase.Unknown;
                draft.Condition(JobConditions.ContactLost, true, "NoAnswer", why);
                return new JobPlan(draft.Changed, JobEffect.None);
            case Missing missing:
                return Miss(scene, draft, missing, now);
            default:
                return new JobPlan(draft.Changed, JobEffect.None);
        }
    }

    private static JobPlan Ended(JobScene scene, StatusDraft draft) =>
        new(draft.Changed, draft.HasEnded && scene.Job.IsDeleting() ? JobEffect.Clean : JobEffect.None);

    // Slurm's queue has a start for the jobs that its scheduler came to, and says of none that it can never start.
    private static JobPlan Wait(JobScene scene, StatusDraft draft, Seen seen, TimeSpan now)
    {
        if (seen.Job is not { State: { Phase: SlurmJobPhase.Queued, Reason: not "Held" }, StartedAt: null }) return new JobPlan(draft.Changed, JobEffect.None);
        var next = scene.LastPreflight + BetweenPreflights ?? seen.Since + UntilPreflight;
        return next > now ? new JobPlan(draft.Changed, JobEffect.None, next - now) : new JobPlan(draft.Changed, JobEffect.Preflight, BetweenPreflights);
    }

    private static JobPlan Miss(JobScene scene, StatusDraft draft, Missing missing, TimeSpan now)
    {
        // A live job is always in the queue. For one that is to end, its lasting absence is its end.
        var isGone = missing.AccountingAnswered && missing.Looks >= LooksUntilGone && now - missing.Since > TimeUntilGone;
        if (isGone && IsStopping(scene)) draft.Say(SlurmJobPhase.Cancelled, "Cancelled", "Slurm no longer knows the job");
        else draft.Condition(JobConditions.ContactLost, true, "Missing", "Slurm's queue does not know the job, and accounting does not say how it ended");
        return Ended(scene, draft);
    }

    private static JobPlan Stop(JobScene scene, StatusDraft draft, JobRecord job, TimeSpan now)
    {
        if (job.State.Phase is SlurmJobPhase.Unknown or SlurmJobPhase.Terminating) return new JobPlan(draft.Changed, JobEffect.None);
        if (job.State.Phase == SlurmJobPhase.Running)
        {
            draft.Condition(JobConditions.Cancelling, true, "TermSent", "the job's steps were told to end");
            if (scene.TermSent is not { } told) return new JobPlan(draft.Changed, JobEffect.TermSteps, Grace(scene));
            if (told + Grace(scene) is var end && end > now) return new JobPlan(draft.Changed, JobEffect.None, end - now);
        }

        if (scene.LastCancel + BetweenCancels is { } next && next > now) return new JobPlan(draft.Changed, JobEffect.None, next - now);
        return new JobPlan(draft.Changed, JobEffect.Cancel, BetweenCancels);
    }

    private static TimeSpan Grace(JobScene scene) => scene.Job.Spec.GraceSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : DefaultGrace;
}
