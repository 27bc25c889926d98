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

    private readonly SlurmJob _job = new()
    {
        Metadata = new V1ObjectMeta { Name = "train", NamespaceProperty = "team", Finalizers = [Names.SlurmJobFinalizer] },
        Spec = new SlurmJobSpec { Cluster = "alps", Job = "train", JobUid = "0123456789", Attempt = 1, Nodes = 1, Script = "true" },
    };

    private SubmissionState _submission = new(1);
    private Sighting? _sighting;
    private string? _refusal;
    private DateTimeOffset? _lastCancel;
    private DateTimeOffset? _lastPreflight;
    private StartEstimate? _estimate;

    public AScene New() => With(() => _job.Metadata.Finalizers = null);

    public AScene Deleted() => With(() => _job.Metadata.DeletionTimestamp = Now.UtcDateTime);

    public AScene Cancelled(int? grace = null) => With(() => (_job.Spec.Cancel, _job.Spec.GraceSeconds) = (true, grace));

    public AScene Is(SlurmJobPhase phase, string? id = "7") => With(() => _job.Status = new SlurmJobStatus { Phase = phase, JobId = id });

    public AScene After(SlurmJobStatus status) => With(() => _job.Status = status);

    public AScene Refused(string why) => With(() => _refusal = why);

    public AScene Heard(SubmissionAnswer answer) => With(() => _submission = SubmissionRules.After(_submission, answer, Now));

    public AScene InFlight() => With(() => _submission = _submission with { InFlight = true });

    public AScene Sees(Sighting sighting) => With(() => _sighting = sighting);

    public AScene SlurmSays(string state, string reason = "", ExitStatus? exit = null, DateTimeOffset? start = null, int restarts = 0) =>
        Sees(new Seen(new JobRecord { Id = "7", Name = "01234567-a1", State = SlurmStates.Of(state, reason), Reason = reason, Exit = exit, StartedAt = start == default(DateTimeOffset) ? null : start ?? Now.AddMinutes(-5), Restarts = restarts, Nodes = "gpu[1-2]" }));

    public AScene LastCancelled(TimeSpan ago) => With(() => _lastCancel = Now - ago);

    public AScene AskedForAStart(TimeSpan ago, StartEstimate? answer) => With(() => (_lastPreflight, _estimate) = (Now - ago, answer));

    public JobPlan Plan(TimeSpan later = default) => SlurmJobPlanner.Plan(new JobScene(_job, _submission) { Sighting = _sighting, Refusal = _refusal, LastCancel = _lastCancel, LastPreflight = _lastPreflight, Estimate = _estimate }, Now + later);

    private AScene With(Action change)
    {
        change();
        return this;
    }
}
