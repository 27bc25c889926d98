using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Tests.Jobs;

/// <summary>A job as the planner sees it, said as a sentence.</summary>
internal sealed class AScene
{
    public static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The same by the steady clock.</summary>
    public static readonly TimeSpan Steady = TimeSpan.FromDays(3);

    private readonly SlurmJob _job = new()
    {
        Metadata = new V1ObjectMeta { Name = "train", NamespaceProperty = "team", Finalizers = [Names.SlurmJobFinalizer] },
        Spec = new SlurmJobSpec { Cluster = "alps", Job = "train", JobUid = "0123456789", Attempt = 1, Nodes = 1, Script = "true" },
    };

    private SubmissionState _submission = new(1);
    private Sighting? _sighting;
    private string? _refusal;
    private TimeSpan? _lastCancel;
    private TimeSpan? _lastPreflight;
    private TimeSpan? _termSent;
    private TimeSpan _set;
    private StartEstimate? _estimate;

    public AScene New() => With(() => _job.Metadata.Finalizers = null);

    public AScene Deleted() => With(() => _job.Metadata.DeletionTimestamp = Now.UtcDateTime);

    public AScene Cancelled(int? grace = null) => With(() => (_job.Spec.Cancel, _job.Spec.GraceSeconds) = (true, grace));

    public AScene Is(SlurmJobPhase phase, string? id = "7") => With(() => _job.Status = new SlurmJobStatus { Phase = phase, JobId = id });

    public AScene After(SlurmJobStatus status) => With(() =>
    {
        _job.Status = status;
        if (JobConditions.Since(status, JobConditions.Cancelling) is { } told) _termSent = new Moment(Now, Steady).Then(told);
    });

    public AScene Refused(string why) => With(() => _refusal = why);

    public AScene Heard(SubmissionAnswer answer) => With(() => _submission = SubmissionRules.After(_submission, answer, Steady));

    public AScene InFlight() => With(() => _submission = _submission with { InFlight = true });

    public AScene Sees(Sighting sighting) => With(() => _sighting = sighting);

    public AScene SlurmSays(string state, string reason = "", ExitStatus? exit = null, DateTimeOffset? start = null, int restarts = 0) =>
        Sees(new Seen(new JobRecord { Id = "7", Name = "01234567-a1", State = SlurmStates.Of(state, reason), Reason = reason, Exit = exit, StartedAt = start == default(DateTimeOffset) ? null : start ?? Now.AddMinutes(-5), Restarts = restarts, Nodes = "gpu[1-2]" }, Steady));

    public AScene LastCancelled(TimeSpan ago) => With(() => _lastCancel = Steady - ago);

    public AScene AskedForAStart(TimeSpan ago, StartEstimate? answer) => With(() => (_lastPreflight, _estimate) = (Steady - ago, answer));

    /// <summary>Somebody sets the clock of the bridge, after everything else.</summary>
    public AScene ClockSet(TimeSpan by) => With(() => _set = by);

    public JobPlan Plan(TimeSpan later = default) => SlurmJobPlanner.Plan(
        new JobScene(_job, _submission) { Sighting = _sighting, Refusal = _refusal, TermSent = _termSent, LastCancel = _lastCancel, LastPreflight = _lastPreflight, Estimate = _estimate },
        new Moment(Now + later + _set, Steady + later));

    private AScene With(Action change)
    {
        change();
        return this;
    }
}
