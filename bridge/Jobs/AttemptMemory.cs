using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Clusters;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>What this process remembers of a job between two looks; nothing that a restart may not lose.</summary>
/// <param name="uid">Uid of the object.</param>
/// <param name="session">Whose answers it waits for.</param>
internal sealed class AttemptMemory(string uid, ClusterSession session)
{
    private readonly Lock _lock = new();
    private SubmissionState _submission = new(1);
    private string? _staleVersion;

    /// <summary>How its submission stands.</summary>
    public SubmissionState Submission
    {
        get
        {
            lock (_lock) return _submission;
        }
    }

    /// <summary>When its steps were told to end, by the steady clock.</summary>
    public TimeSpan? TermSent { get; set; }

    /// <summary>When scancel was last sent, by the steady clock.</summary>
    public TimeSpan? LastCancel { get; set; }

    /// <summary>When Slurm was last asked for a start, by the steady clock.</summary>
    public TimeSpan? LastPreflight { get; set; }

    /// <summary>What it said then; null when it said nothing that can be used.</summary>
    public StartEstimate? Estimate { get; set; }

    /// <summary>Whether it is about this object, not an earlier one of the same name, and of this session: another one's answers never come.</summary>
    public bool IsOf(SlurmJob job, ClusterSession current) => job.Metadata.Uid == uid && ReferenceEquals(current, session);

    /// <summary>Whether the cache still has what was there before our own last write.</summary>
    public bool IsStale(SlurmJob job) => job.Metadata.ResourceVersion == _staleVersion;

    /// <summary>We wrote it.</summary>
    public void Wrote(SlurmJob before, SlurmJob after) => _staleVersion = before.Metadata.ResourceVersion == after.Metadata.ResourceVersion ? null : before.Metadata.ResourceVersion;

    /// <summary>This process has set the finalizer: nothing was sent before.</summary>
    public void Begin()
    {
        lock (_lock) _submission = new SubmissionState(1) { IsFirst = true };
    }

    /// <summary>A request is on its way.</summary>
    public void Sent()
    {
        lock (_lock) _submission = _submission with { InFlight = true };
    }

    /// <summary>An answer came.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="now">By the steady clock.</param>
    public void Hear(SubmissionAnswer answer, TimeSpan now)
    {
        lock (_lock) _submission = SubmissionRules.After(_submission, answer, now);
    }
}
