namespace Trestle.Operator.Scheduling;

/// <summary>
/// Whose turn it is: what was cut off half admitted first, then by priority; among equals the queue that uses the smallest share
/// of its quota by weight, then who waits longest, then by uid. Shares are looked at again after every admission.
/// </summary>
internal sealed class GangOrder
{
    private readonly (Gang Gang, QueueUse Queue)[] _gangs;
    private readonly List<(QueueUse Queue, int Next, int End)> _lines = [];
    private readonly QueueUse[] _queues;
    private int _levelEnd;

    public GangOrder(IEnumerable<Gang> gangs, QuotaBook quotas)
    {
        _gangs = [.. gangs.Select(gang => (gang, quotas.Of(gang.Jobs[0].Queue)))];
        _queues = [.. _gangs.Select(pair => pair.Queue).Distinct()];
        var numbers = _queues.Select((queue, number) => (queue, number)).ToDictionary(pair => pair.queue, pair => pair.number);
        Array.Sort(_gangs, (one, other) => Compare(one.Gang, other.Gang, numbers.Count == 1 ? 0 : numbers[one.Queue].CompareTo(numbers[other.Queue])));
    }

    /// <summary>Whether a gang comes before another, whatever their queues use.</summary>
    public static bool IsBefore(int priority, DateTime queuedAt, string uid, int otherPriority, DateTime otherQueuedAt, string otherUid) =>
        priority != otherPriority ? priority > otherPriority : queuedAt != otherQueuedAt ? queuedAt < otherQueuedAt : string.CompareOrdinal(uid, otherUid) < 0;

    /// <summary>All of them. The next is chosen when the one before is decided about.</summary>
    public IEnumerable<Gang> All()
    {
        while (_levelEnd < _gangs.Length || _lines.Count > 0)
        {
            if (_lines.Count == 0) NextLevel();
            var line = _lines.Count == 1 ? 0 : Lowest();
            var (queue, next, end) = _lines[line];
            if (next + 1 == end) _lines.RemoveAt(line);
            else _lines[line] = (queue, next + 1, end);
            yield return _gangs[next].Gang;
        }
    }

    private static int Compare(Gang one, Gang other, int byQueue)
    {
        if (one.Begun != other.Begun) return one.Begun ? -1 : 1;
        if (one.Priority != other.Priority) return other.Priority.CompareTo(one.Priority);
        if (byQueue != 0) return byQueue;
        var byTime = one.QueuedAt.CompareTo(other.QueuedAt);
        return byTime != 0 ? byTime : string.CompareOrdinal(one.Uid, other.Uid);
    }

    // All of one priority: a line for every queue.
    private void NextLevel()
    {
        var first = _gangs[_levelEnd];
        var start = _levelEnd;
        while (_levelEnd < _gangs.Length && _gangs[_levelEnd].Gang.Priority == first.Gang.Priority && _gangs[_levelEnd].Gang.Begun == first.Gang.Begun)
        {
            if (_gangs[_levelEnd].Queue != _gangs[start].Queue)
            {
                _lines.Add((_gangs[start].Queue, start, _levelEnd));
                start = _levelEnd;
            }

            _levelEnd++;
        }

        _lines.Add((_gangs[start].Queue, start, _levelEnd));
    }

    private int Lowest()
    {
        var best = 0;
        var bestShare = double.MaxValue;
        for (var line = 0; line < _lines.Count; line++)
        {
            var share = _lines[line].Queue.Share();
            if (line > 0 && (share > bestShare || (share == bestShare && Compare(_gangs[_lines[line].Next].Gang, _gangs[_lines[best].Next].Gang, 0) > 0))) continue;
            (best, bestShare) = (line, share);
        }

        return best;
    }
}
