using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>One look into Slurm's queue as one user: what is known of the jobs that were asked for.</summary>
internal sealed record QueueView
{
    /// <summary>Before the first look.</summary>
    public static QueueView Empty { get; } = new();

    /// <summary>What is known, by job id.</summary>
    public IReadOnlyDictionary<string, Sighting> Jobs { get; init; } = new Dictionary<string, Sighting>();

    /// <summary>Infrastructure ends in accounting that wait for a second look, by job id.</summary>
    public IReadOnlyDictionary<string, JobRecord> Unconfirmed { get; init; } = new Dictionary<string, JobRecord>();

    /// <summary>Failed looks since the last one that worked.</summary>
    public int Failures { get; init; }

    /// <summary>Why the last look failed; null when it worked.</summary>
    public string? Failure { get; init; }

    /// <summary>One failed look is a hiccup; after two contact is lost.</summary>
    public bool IsLost => Failures >= 2;

    /// <summary>What is known of a job; null when it was not looked for yet.</summary>
    public Sighting? Of(string id) => IsLost ? new OutOfSight(Failure ?? "") : Jobs.GetValueOrDefault(id);

    /// <summary>The view after a look that failed.</summary>
    public QueueView Failed(string why) => this with { Failures = Failures + 1, Failure = why };

    /// <summary>The view after a look that worked.</summary>
    /// <param name="wanted">Name in Slurm by id of the jobs that were asked for.</param>
    /// <param name="queue">What the queue knows.</param>
    /// <param name="accounting">What accounting knows of those that the queue does not; null when it could not be asked.</param>
    /// <param name="now">The time by the steady clock.</param>
    public QueueView Next(IReadOnlyDictionary<string, string> wanted, IReadOnlyDictionary<string, JobRecord> queue, IReadOnlyDictionary<string, JobRecord>? accounting, TimeSpan now)
    {
        var jobs = new Dictionary<string, Sighting>();
        var unconfirmed = new Dictionary<string, JobRecord>();
        foreach (var (id, name) in wanted)
        {
            if (OfName(queue, id, name) is { } live) jobs[id] = new Seen(live, SeenSince(id, now));
            else if (OfName(accounting, id, name) is not { State.IsFinal: true } ended) jobs[id] = MissingSince(id, accounting is not null, now);
            else if (!ended.State.MayBeRequeued || Unconfirmed.GetValueOrDefault(id)?.State == ended.State) jobs[id] = new Seen(ended, SeenSince(id, now));
            else (unconfirmed[id], jobs[id]) = (ended, Jobs.GetValueOrDefault(id) ?? MissingSince(id, answered: true, now));
        }

        return new QueueView { Jobs = jobs, Unconfirmed = unconfirmed };
    }

    private TimeSpan SeenSince(string id, TimeSpan now) => Jobs.GetValueOrDefault(id) is Seen known ? known.Since : now;

    private Missing MissingSince(string id, bool answered, TimeSpan now) =>
        Jobs.GetValueOrDefault(id) is Missing known ? known with { Looks = known.Looks + 1, AccountingAnswered = answered } : new Missing(now, 1, answered);

    // Ids begin anew when a cluster is set up anew: a job of another name is another job.
    private static JobRecord? OfName(IReadOnlyDictionary<string, JobRecord>? jobs, string id, string name) =>
        jobs?.GetValueOrDefault(id) is { } job && job.Name == name ? job : null;
}
