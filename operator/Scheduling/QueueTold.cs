using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>
/// Chooses who is told its place in the queue. One end moves everybody behind it up, so that not all can be told at once: those
/// who were never told and those who are next come first, and half of the writes go round, so that everybody is told in time.
/// </summary>
internal sealed class QueueTold(int most)
{
    private int _next;

    /// <summary>Who is to be told something new, at most so many, and whether there are more.</summary>
    public (IReadOnlyList<TrainingJob> Jobs, bool AreMore) Choose(GangQueue queue, PassResult result, Func<ObjectKey, TrainingJob> jobOf)
    {
        var changed = Changed(queue, result, jobOf);
        if (changed.Count <= most) return ([.. changed.Select(told => QueueStatuses.Waiting(told.Job, told.Position, told.Reason))], false);
        var chosen = changed.Where(told => told.Job.Status?.Queue?.Reason is null).Concat(changed).Distinct().Take(most / 2).ToList();
        for (var step = 0; chosen.Count < most; step++, _next++)
        {
            var told = changed[_next % changed.Count];
            if (step >= changed.Count || !chosen.Contains(told)) chosen.Add(told);
        }

        return ([.. chosen.Select(told => QueueStatuses.Waiting(told.Job, told.Position, told.Reason))], true);
    }

    private static List<Told> Changed(GangQueue queue, PassResult result, Func<ObjectKey, TrainingJob> jobOf)
    {
        var changed = new List<Told>();
        foreach (var waiting in result.Waiting)
        {
            foreach (var job in waiting.Gang.Jobs.Where(job => job.Replica is null)) Add(jobOf(job.Job), waiting.Position, waiting.Reason);
        }

        foreach (var (job, reason) in queue.Held) Add(job, null, reason);
        return changed;

        void Add(TrainingJob job, int? position, string reason)
        {
            if (!QueueStatuses.Says(job, position, reason)) changed.Add(new Told(job, position, reason));
        }
    }

    private sealed record Told(TrainingJob Job, int? Position, string Reason);
}
