using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.TrainingJobs;

/// <summary>What becomes of a job whose attempt has failed, on every backend.</summary>
internal static class AttemptEnd
{
    /// <summary>The end, the queue, or a restart.</summary>
    /// <param name="draft">The plan.</param>
    /// <param name="attempt">How it failed.</param>
    /// <param name="kept">What stays reserved for a restart, without the node that is given away, when one is.</param>
    public static void Fail(Draft draft, FailedAttempt attempt, Func<string?, AdmissionStatus?> kept)
    {
        var (status, failure) = (draft.Status, attempt.Failure);
        var verdict = Retries.Judge(draft.Job.Spec.Recovery, attempt);
        status.Restarts = verdict.Counts;
        if (failure.Code is not null || RecoveryTable.Of(failure.Cause).Node != NodeFate.Dropped)
            status.Exit = new TrainingJobExit { Rank = failure.Rank, Code = failure.Code, Stage = failure.Stage, Message = failure.Output };
        if (verdict.Action == RecoveryAction.Fail)
        {
            draft.End(TrainingJobPhase.Failed, failure.Reason, verdict.Message);
            return;
        }

        status.Retry = verdict.Retry;
        status.Retry.NotBefore = (draft.Now + verdict.Wait).UtcDateTime;
        if (failure.Cause is FailureCause.Infrastructure or FailureCause.Unplaced)
            StatusConditions.Set(status, StatusConditions.Disrupted, true, failure.Reason, failure.Message, draft.Job.Metadata.Generation, draft.Now);
        if (verdict.Action == RecoveryAction.Requeue)
        {
            draft.Requeue(verdict.Message, warning: true);
            return;
        }

        status.Admission = kept(verdict.DropsNode ? failure.Node : null);
        draft.Become(TrainingJobPhase.Restarting, failure.Reason, verdict.Message);
    }
}
