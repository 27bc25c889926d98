using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Launch;

/// <summary>What is known of the ranks of one attempt: exactly one of facts, a reason why there never will be any, or neither yet.</summary>
internal sealed record Gathering(LaunchFacts? Facts, string? Over)
{
    public static Gathering Incomplete { get; } = new(null, null);

    public bool IsDecided => Facts is not null || Over is not null;
}

/// <summary>Reads from the caches whether all ranks of an attempt have addresses.</summary>
internal sealed class AttemptReader(IObjectCache<TrainingJob> jobs, IObjectCache<PodView> pods, IObjectCache<JobGroup> groups)
{
    // A cache may be behind: an unknown job or attempt is waited for, never refused.
    public Gathering Read(string uid, int attempt)
    {
        var all = pods.Where(PodFacts.JobUidIndex, uid);
        if (all.Count == 0 || Job(all[0], uid) is not { } job) return Gathering.Incomplete;
        if (job.Status?.Phase is TrainingJobPhase.Succeeded or TrainingJobPhase.Failed or TrainingJobPhase.Cancelled)
            return new Gathering(null, $"the job {job.Metadata.Name} has ended");
        if (job.Status?.Attempt > attempt) return new Gathering(null, $"attempt {attempt} of the job {job.Metadata.Name} is over; attempt {job.Status.Attempt} has begun");
        if (job.Status?.Attempt != attempt) return Gathering.Incomplete; // how many ranks it has is not known yet
        return Addresses(all, attempt, job.AttemptSize) is { } addresses ? new Gathering(AttemptFacts.Of(job, GroupOf(job), attempt, addresses), null) : Gathering.Incomplete;
    }

    /// <summary>The job; null when it has no pods, or is not known yet.</summary>
    public TrainingJob? Find(string uid) => pods.Where(PodFacts.JobUidIndex, uid) is [var pod, ..] ? Job(pod, uid) : null;

    private TrainingJob? Job(PodView pod, string uid)
    {
        var job = jobs.Find(new ObjectKey(pod.Metadata.NamespaceProperty ?? "", pod.Label(Labels.JobName) ?? ""));
        return job?.Metadata.Uid == uid ? job : null;
    }

    private static string[]? Addresses(IReadOnlyList<PodView> all, int attempt, int count)
    {
        var addresses = new string[count];
        foreach (var pod in all)
        {
            if (pod.Attempt() == attempt && pod.Rank() is >= 0 and var rank && rank < count && pod.Status?.PodIP is { Length: > 0 } address) addresses[rank] = address;
        }

        return Array.TrueForAll(addresses, address => address is not null) ? addresses : null;
    }

    private JobGroup? GroupOf(TrainingJob job) => job.TaskGroup is { } name ? groups.Find(new ObjectKey(job.Metadata.NamespaceProperty ?? "", name)) : null;
}
