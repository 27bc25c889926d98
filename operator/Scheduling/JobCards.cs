using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>The cards of all jobs, kept from pass to pass: of thousands that wait, a few change between two passes. For one thread.</summary>
/// <param name="shapeOf">Shape of a job; null when it has none yet.</param>
internal sealed class JobCards(Func<TrainingJob, Shape?> shapeOf)
{
    private const int MostStale = 500;

    private readonly Dictionary<TrainingJob, JobCard> _known = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<ObjectKey, JobCard> _newest = [];
    private readonly List<JobCard> _waiting = [];
    private readonly List<JobCard> _holding = [];
    private readonly List<JobCard> _tasks = [];
    private int _pass;

    /// <summary>Jobs that wait for nodes.</summary>
    public IReadOnlyList<JobCard> Waiting => _waiting;

    /// <summary>Jobs with nodes, those that restart among them.</summary>
    public IReadOnlyList<JobCard> Holding => _holding;

    /// <summary>Tasks of groups, whatever they do.</summary>
    public IReadOnlyList<JobCard> Tasks => _tasks;

    /// <summary>The cards of these jobs alone.</summary>
    public static JobCards Of(IReadOnlyCollection<TrainingJob> jobs, Func<TrainingJob, Shape?> shapeOf)
    {
        var cards = new JobCards(shapeOf);
        cards.Read(jobs, job => job);
        return cards;
    }

    /// <summary>Takes note of all jobs there are.</summary>
    /// <param name="jobs">All jobs, as the caches have them.</param>
    /// <param name="newest">The newest version that is known of one.</param>
    public void Read(IReadOnlyCollection<TrainingJob> jobs, Func<TrainingJob, TrainingJob> newest)
    {
        _pass++;
        _waiting.Clear();
        _holding.Clear();
        _tasks.Clear();
        foreach (var cached in jobs) Sort(Card(newest(cached)));
        if (_known.Count > jobs.Count + MostStale) Forget();
    }

    /// <summary>A job as the pass saw it.</summary>
    public TrainingJob Job(ObjectKey key) => _newest[key].Job;

    // By the object: a version is one object, and that is found sooner than a name.
    private JobCard Card(TrainingJob job)
    {
        if (!_known.TryGetValue(job, out var card)) card = _known[job] = new JobCard(job, shapeOf);
        if (card.Seen != _pass - 1) _newest[job.Key()] = card;
        return card;
    }

    private void Sort(JobCard card)
    {
        card.Seen = _pass;
        if (card.Waits) _waiting.Add(card);
        if (card.Holds) _holding.Add(card);
        if (card.GroupUid is not null) _tasks.Add(card);
    }

    private void Forget()
    {
        foreach (var (job, card) in _known)
        {
            if (card.Seen != _pass) _known.Remove(job);
        }

        foreach (var (key, card) in _newest)
        {
            if (card.Seen != _pass) _newest.Remove(key);
        }
    }
}
