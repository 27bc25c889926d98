using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Scheduling;

/// <summary>Whether the quotas let a gang in.</summary>
internal enum QuotaAnswer
{
    /// <summary>It stays within the quotas of its queues.</summary>
    Within,

    /// <summary>It goes beyond, and may.</summary>
    Borrows,

    /// <summary>It goes beyond, and may not.</summary>
    Refused,
}

/// <summary>
/// All queues during a pass. Beyond its quota a queue may go when it borrows, up to its limit, as long as all queues that have
/// a quota of the thing use no more than their quotas together.
/// </summary>
internal sealed class QuotaBook
{
    private static readonly string[] Measured = [Names.GpuResource, PodRequests.Cpu, PodRequests.Memory];
    private static readonly List<(QueueUse Queue, long[] Demand)> NoDemand = [];
    private readonly Dictionary<string, Queue> _queues;
    private readonly Dictionary<string, QueueUse> _uses = [];
    private readonly QueueUse _none;

    /// <param name="queues">All queues.</param>
    /// <param name="nodes">The nodes; those who are in no queue are measured against them.</param>
    public QuotaBook(IEnumerable<Queue> queues, IReadOnlyList<PassNode> nodes)
    {
        _queues = queues.ToDictionary(queue => queue.Metadata.Name);
        var totals = new Dictionary<string, QuotaTotal>();
        foreach (var (name, queue) in _queues) _uses[name] = new QueueUse(name, queue, [.. Items(queue, totals)]);
        _none = new QueueUse("", null, _queues.Count == 0 ? [] : [.. Measured.Select(resource => new QuotaItem(resource, nodes.Sum(node => node.Allocatable.GetValueOrDefault(resource)), 0, new QuotaTotal()))]);
    }

    public IEnumerable<QueueUse> Uses => _uses.Values;

    /// <summary>The queue that a job is in.</summary>
    public QueueUse Of(string? named) => _uses.GetValueOrDefault(named ?? Queue.DefaultName, _none);

    /// <summary>Why a job can't be in the queue that it names; null when it can.</summary>
    public string? WhyRefused(string? named, string ns)
    {
        if (!_queues.TryGetValue(named ?? Queue.DefaultName, out var queue)) return named is null ? null : $"there is no queue {named}; create it, or change scheduling.queue";
        return queue.Spec.Namespaces is { Count: > 0 } namespaces && !namespaces.Contains(ns)
            ? $"queue {queue.Metadata.Name} takes no jobs of namespace {ns}; {(named is null ? "name another queue in scheduling.queue" : "change scheduling.queue, or add the namespace to the queue")}"
            : null;
    }

    /// <summary>What a gang would use, by queue.</summary>
    public List<(QueueUse Queue, long[] Demand)> Demand(Gang gang)
    {
        if (_queues.Count == 0) return NoDemand;
        var demands = new List<(QueueUse Queue, long[] Demand)>(1);
        foreach (var job in gang.Jobs)
        {
            var queue = Of(job.Queue);
            var more = queue.Demand(job.Shape, job.Nodes);
            var known = demands.FindIndex(demand => demand.Queue == queue);
            if (known < 0) demands.Add((queue, more));
            else for (var item = 0; item < more.Length; item++) demands[known].Demand[item] += more[item];
        }

        return demands;
    }

    public static void Add(List<(QueueUse Queue, long[] Demand)> demands, int sign, bool now, bool later)
    {
        foreach (var (queue, demand) in demands) queue.Add(demand, sign, now, later);
    }

    /// <summary>Counts what a gang was given.</summary>
    /// <param name="demands">What it uses.</param>
    /// <param name="now">False when it was only promised.</param>
    public static void Give(List<(QueueUse Queue, long[] Demand)> demands, bool now)
    {
        foreach (var (queue, demand) in demands)
        {
            queue.Add(demand, 1, now, later: true);
            for (var item = 0; item < demand.Length; item++) queue.Given[item] += demand[item];
        }
    }

    /// <summary>Whether there is room in the quotas.</summary>
    public static QuotaAnswer Check(List<(QueueUse Queue, long[] Demand)> demands, Room room)
    {
        var answer = QuotaAnswer.Within;
        foreach (var (queue, demand) in demands)
        {
            if (queue.Spec is null) continue;
            for (var item = 0; item < demand.Length; item++)
            {
                if (demand[item] == 0 || queue.Used(item, room) + demand[item] <= queue.Items[item].Limit) continue;
                if (Problem(demands, queue, item, demand[item], room) != Borrowing.Possible) return QuotaAnswer.Refused;
                answer = QuotaAnswer.Borrows;
            }
        }

        return answer;
    }

    /// <summary>Whether any queue uses more than its quota of something that the gang asks of its own.</summary>
    public bool MayTakeBack(List<(QueueUse Queue, long[] Demand)> demands) => demands.Count > 0 && _uses.Values.Any(queue => queue.Borrows && BorrowsFrom(queue, demands));

    /// <summary>Whether the queue uses more than its quota of something that others ask of theirs.</summary>
    public static bool BorrowsFrom(QueueUse queue, List<(QueueUse Queue, long[] Demand)> demands)
    {
        if (demands.Exists(demand => demand.Queue == queue)) return false;
        for (var item = 0; item < queue.Items.Count; item++)
        {
            if (queue.Spec is null || queue.Later[item] - queue.Given[item] <= queue.Items[item].Limit) continue;
            var name = queue.Items[item].Name;
            if (demands.Exists(demand => demand.Queue.Spec is not null && Amount(demand, name) > 0)) return true;
        }

        return false;
    }

    /// <summary>Why the quotas don't let a gang in, e.g. "queue research: 64 of 64 GPUs used; borrowing is off"; null when they do.</summary>
    public static string? Reason(List<(QueueUse Queue, long[] Demand)> demands)
    {
        foreach (var (queue, demand) in demands)
        {
            if (queue.Spec is null) continue;
            for (var item = 0; item < demand.Length; item++)
            {
                if (demand[item] == 0 || queue.Used(item, Room.Now) + demand[item] <= queue.Items[item].Limit) continue;
                if (Problem(demands, queue, item, demand[item], Room.Now) is not Borrowing.Possible and var problem) return InWords(queue, item, demand[item], problem);
            }
        }

        return null;
    }

    private static string InWords(QueueUse queue, int at, long demand, Borrowing problem)
    {
        var item = queue.Items[at];
        var used = queue.Used(at, Room.Now);
        var noun = item.Accelerator ?? Amounts.Noun(item.Resource, item.Limit);
        var use = $"queue {queue.Name}: {Amounts.Number(item.Resource, used)} of {Amounts.Number(item.Resource, item.Limit)} {noun} used";
        if (used < item.Limit) use += $", {Amounts.Number(item.Resource, demand)} asked for";
        return problem switch
        {
            Borrowing.Off => $"{use}; borrowing is off",
            Borrowing.OverLimit => $"{use}; it may borrow {Amounts.Number(item.Resource, item.BorrowLimit)} at most",
            _ => $"{use}; the queues together have {Amounts.Number(item.Resource, Math.Max(item.Total.Quota - Math.Max(item.Total.Now, item.Total.Later), 0))} left to borrow",
        };
    }

    private enum Borrowing
    {
        Possible,
        Off,
        OverLimit,
        NothingLeft,
    }

    private static Borrowing Problem(List<(QueueUse Queue, long[] Demand)> demands, QueueUse queue, int at, long demand, Room room)
    {
        var item = queue.Items[at];
        if (queue.Spec?.Borrowing != true) return Borrowing.Off;
        if (queue.Used(at, room) + demand - item.Limit > item.BorrowLimit) return Borrowing.OverLimit;
        var total = room == Room.Now ? Math.Max(item.Total.Now, item.Total.Later) : item.Total.Later;
        return total + demands.Sum(other => other.Queue.Spec is null ? 0 : Amount(other, item.Name)) > item.Total.Quota ? Borrowing.NothingLeft : Borrowing.Possible;
    }

    private static long Amount((QueueUse Queue, long[] Demand) demand, string name)
    {
        for (var item = 0; item < demand.Queue.Items.Count; item++)
        {
            if (demand.Queue.Items[item].Name == name) return demand.Demand[item];
        }

        return 0;
    }

    private static IEnumerable<QuotaItem> Items(Queue queue, Dictionary<string, QuotaTotal> totals)
    {
        foreach (var (name, text) in (queue.Spec.Quota ?? []).OrderBy(pair => Amounts.Rank(pair.Key)).ThenBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var limit = PodRequests.Units(name, text, up: false);
            var borrow = queue.Spec.BorrowingLimit?.TryGetValue(name, out var most) == true ? PodRequests.Units(name, most, up: false) : PodRequests.Most;
            if (!totals.TryGetValue(name, out var total)) totals[name] = total = new QuotaTotal();
            total.Quota += limit;
            yield return new QuotaItem(name, limit, borrow, total);
        }
    }
}
