using System.Runtime.InteropServices;

namespace Trestle.Operator.Scheduling;

/// <summary>
/// Whose turn it is: what was cut off half admitted first, then by priority; among equals the queue that uses the smallest share
/// of its quota by weight, then who waits longest, then by uid. Shares are looked at again after every admission.
/// </summary>
internal sealed class GangOrder
{
    private readonly Dictionary<(bool Begun, int Priority, QueueUse Queue), List<Gang>> _lines = [];

    public GangOrder(IEnumerable<Gang> gangs, QuotaBook quotas)
    {
        foreach (var gang in gangs) (CollectionsMarshal.GetValueRefOrAddDefault(_lines, (gang.Begun, gang.Priority, quotas.Of(gang.Jobs[0].Queue)), out _) ??= []).Add(gang);
    }

    /// <summary>Whether a gang comes before another, whatever their queues use.</summary>
    public static bool IsBefore(int priority, DateTime queuedAt, string uid, int otherPriority, DateTime otherQueuedAt, string otherUid) =>
        priority != otherPriority ? priority > otherPriority : queuedAt != otherQueuedAt ? queuedAt < otherQueuedAt : string.CompareOrdinal(uid, otherUid) < 0;

    /// <summary>All of them. The next is chosen when the one before is decided about.</summary>
    public IEnumerable<Gang> All()
    {
        foreach (var level in _lines.GroupBy(line => (line.Key.Begun, line.Key.Priority)).OrderByDescending(level => level.Key.Begun).ThenByDescending(level => level.Key.Priority))
        {
            var lines = level.Select(line => new Line(line.Key.Queue, line.Value)).ToList();
            while (lines.Count > 0)
            {
                var line = lines.Count == 1 ? lines[0] : Lowest(lines);
                var next = line.First;
                if (!line.Move()) lines.Remove(line);
                yield return next;
            }
        }
    }

    private static Line Lowest(List<Line> lines)
    {
        var (best, bestShare) = (lines[0], lines[0].Queue.Share());
        foreach (var line in lines)
        {
            var share = line.Queue.Share();
            if (share < bestShare || (share == bestShare && Compare(line.First, best.First) < 0)) (best, bestShare) = (line, share);
        }

        return best;
    }

    private static int Compare(Gang one, Gang other)
    {
        var byTime = one.QueuedAt.CompareTo(other.QueuedAt);
        return byTime != 0 ? byTime : string.CompareOrdinal(one.Uid, other.Uid);
    }

    // Those of one priority in one queue.
    private sealed class Line
    {
        private readonly List<Gang> _gangs;
        private int _next;

        public Line(QueueUse queue, List<Gang> gangs)
        {
            (Queue, _gangs) = (queue, gangs);
            gangs.Sort(Compare);
        }

        public QueueUse Queue { get; }

        public Gang First => _gangs[_next];

        public bool Move() => ++_next < _gangs.Count;
    }
}
