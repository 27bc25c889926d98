using System.Text.Json;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Slurm;
using Trestle.Runtime;

namespace Trestle.Bridge.Jobs;

/// <summary>The status of a job while it is planned; a copy of the one that is there.</summary>
internal sealed class StatusDraft
{
    private const int LongestReason = 64;
    private const int LongestMessage = 500;
    private static readonly TimeSpan EstimateTolerance = TimeSpan.FromMinutes(5);
    private readonly SlurmJob _job;
    private readonly DateTimeOffset _now;
    private readonly string _before;

    public StatusDraft(SlurmJob job, DateTimeOffset now)
    {
        (_job, _now, _before) = (job, now, Text(job.Status));
        Status = job.Status is null ? new SlurmJobStatus() : JsonSerializer.Deserialize(_before, TrestleJson.Default.SlurmJob)!.Status!;
        Status.ObservedGeneration = job.Metadata.Generation;
    }

    /// <summary>The status so far.</summary>
    public SlurmJobStatus Status { get; }

    /// <summary>The status when it differs from the one that is there, else null.</summary>
    public SlurmJobStatus? Changed => Text(Status) == _before ? null : Status;

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => Status.Phase is SlurmJobPhase.Succeeded or SlurmJobPhase.Failed or SlurmJobPhase.Cancelled;

    /// <summary>Sets phase, reason and message.</summary>
    public void Say(SlurmJobPhase phase, string? reason, string? message)
    {
        (Status.Phase, Status.Reason, Status.Message) = (phase, reason, message is null ? null : Printable.Text(message, LongestMessage));
        if (HasEnded) End(phase, reason, message);
    }

    /// <summary>Sets a condition that is true, or is no longer.</summary>
    public void Condition(string type, bool status, string reason, string message)
    {
        if (!status && Status.Conditions?.Any(condition => condition.Type == type) != true) return;
        Conditions.Set(Status.Conditions ??= [], type, status, reason, Printable.Text(message, LongestMessage), _job.Metadata.Generation, _now);
    }

    /// <summary>It has a job in Slurm.</summary>
    public void Submitted(string jobId)
    {
        Status.JobId = jobId;
        Status.SubmittedAt = _now.UtcDateTime;
        Say(SlurmJobPhase.Queued, "Submitted", null);
        Condition(JobConditions.Submitted, true, "Submitted", $"Slurm job {jobId}");
        Condition(JobConditions.ContactLost, false, "Contact", "Slurm answered");
    }

    /// <summary>Takes over what Slurm says.</summary>
    /// <param name="job">What its queue or accounting says.</param>
    /// <param name="asked">What it said when it was asked for a start; counts while the queue has none.</param>
    public void Take(JobRecord job, StartEstimate? asked = null)
    {
        Condition(JobConditions.ContactLost, false, "Contact", "Slurm answered");
        Status.State = job.State.Name;
        Status.RestartCount = Math.Max(job.Restarts, Status.RestartCount ?? 0) is > 0 and var restarts ? restarts : null;
        var waits = job.State.Phase is SlurmJobPhase.Queued or SlurmJobPhase.Starting;
        Status.StartedAt = waits ? null : job.StartedAt?.UtcDateTime ?? Status.StartedAt;
        Status.EstimatedStart = waits ? Estimate(job.StartedAt ?? (IsInLine(job.Reason) ? asked?.Start : null)) : null;
        TakeRefusal(job.State.Phase == SlurmJobPhase.Queued && job.StartedAt is null ? asked?.Refusal : null);
        Status.Nodes = job.Nodes.Length == 0 ? (waits ? null : Status.Nodes) : [.. HostList.Expand(job.Nodes)];
        if (job.State.IsFinal) TakeEnd(job);
        Say(job.State.Phase, job.State.Reason ?? (waits ? Word(job.Reason) : null), MessageOf(job));
        Condition(JobConditions.Running, job.State.Phase == SlurmJobPhase.Running, job.State.Name, "the job's state in Slurm");
    }

    // When it is asked, Slurm looks at nodes alone: for a job that waits for other things its answer is too early.
    private static bool IsInLine(string reason) => Word(reason) is null or "Resources" or "Priority";

    private void TakeRefusal(string? refusal) =>
        Condition(JobConditions.CannotStart, refusal is not null, refusal is null ? "CanStart" : "Refused", refusal is null ? "nothing is known against a start" : $"Slurm would not start it: {refusal}");

    private void TakeEnd(JobRecord job)
    {
        (Status.ExitCode, Status.Signal) = (job.Exit?.Code, job.Exit is { Signal: > 0 } exit ? exit.Signal : null);
        Status.FinishedAt = job.EndedAt?.UtcDateTime ?? _now.UtcDateTime;
        Status.Infrastructure = job.State.IsInfrastructure ? true : null;
    }

    private void End(SlurmJobPhase phase, string? reason, string? message)
    {
        Status.FinishedAt ??= _now.UtcDateTime;
        if (phase == SlurmJobPhase.Succeeded) Condition(JobConditions.Complete, true, "Completed", "the job ended well");
        else Condition(JobConditions.Failed, true, reason ?? phase.ToString(), message ?? phase.ToString());
    }

    // Estimates move with every pass of the scheduler; a write for each would be thousands.
    private DateTime? Estimate(DateTimeOffset? start)
    {
        if (start is null || start < _now) return null;
        return Status.EstimatedStart is { } known && (start.Value.UtcDateTime - known).Duration() < EstimateTolerance ? known : start.Value.UtcDateTime;
    }

    private static string? MessageOf(JobRecord job) => job.State switch
    {
        { Phase: SlurmJobPhase.Failed, Name: "FAILED" } when job.Exit is { Signal: SetupSignal } => "Slurm could not set the job up on its node: its working directory or output can't be used there",
        { Phase: SlurmJobPhase.Failed, Name: "FAILED" } when job.Exit is { Signal: > 0 } exit => $"the job was ended by signal {exit.Signal}",
        { Phase: SlurmJobPhase.Failed, Name: "FAILED" } when job.Exit is { } exit => $"the job ended with exit code {exit.Code}",
        { Phase: SlurmJobPhase.Queued, Message: null } when job.Reason.Length > 0 => $"Slurm says: {job.Reason}",
        { Message: { } message } => message,
        _ => null,
    };

    // What Slurm puts in the place of a signal when slurmd itself could not begin.
    private const int SetupSignal = 53;

    /// <summary>Slurm's reason as one word: "ReqNodeNotAvail, UnavailableNodes:gpu4" is ReqNodeNotAvail, a sentence is Waiting.</summary>
    private static string? Word(string reason)
    {
        var word = new string([.. reason.TakeWhile(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_')]);
        if (word.Length == 0) return null;
        return word.Length <= LongestReason && (word.Length == reason.Length || reason[word.Length] is ',' or ':') ? word : "Waiting";
    }

    private static string Text(SlurmJobStatus? status) => JsonSerializer.Serialize(new SlurmJob { Status = status }, TrestleJson.Default.SlurmJob);
}
