using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Scheduling;

/// <summary>What all queues together have and use of one thing that quotas name.</summary>
internal sealed class QuotaTotal
{
    public long Quota { get; set; }

    public long Now { get; set; }

    public long Later { get; set; }
}

/// <summary>One thing that a quota limits.</summary>
/// <param name="Name">As the quota names it: a resource, or a type of accelerators.</param>
/// <param name="Limit">Most that is used without borrowing.</param>
/// <param name="BorrowLimit">Most that is borrowed.</param>
/// <param name="Total">What all queues have and use of it.</param>
internal sealed record QuotaItem(string Name, long Limit, long BorrowLimit, QuotaTotal Total)
{
    /// <summary>E.g. H100; null when it is a resource.</summary>
    public string? Accelerator { get; } = IsAccelerator(Name) ? Name : null;

    /// <summary>The resource that is counted.</summary>
    public string Resource { get; } = IsAccelerator(Name) ? Names.GpuResource : Name;

    /// <summary>A resource is one of Kubernetes' own or has a domain in its name.</summary>
    public static bool IsAccelerator(string name) => !name.Contains('/', StringComparison.Ordinal) && name is not (PodRequests.Cpu or PodRequests.Memory or PodRequests.Pods or "ephemeral-storage");

    /// <summary>How much so many ranks of a shape use.</summary>
    public long Demand(Shape shape, int ranks)
    {
        if (Accelerator is not null && shape.Accelerator != Accelerator) return 0;
        foreach (var (resource, amount) in shape.Requests)
        {
            if (resource == Resource) return Math.Min(amount * ranks, PodRequests.Most);
        }

        return 0;
    }
}

/// <summary>One queue during a pass: what it may use and what it uses. Now: with all whose pods still run; Later: without those that were told to end, and with what is promised.</summary>
internal sealed class QueueUse
{
    private readonly double _weight;

    public QueueUse(string name, Queue? queue, IReadOnlyList<QuotaItem> items)
    {
        (Name, Spec, Items) = (name, queue?.Spec, items);
        (Now, Later, Given) = (new long[items.Count], new long[items.Count], new long[items.Count]);
        _weight = queue?.Spec.Weight ?? 1;
    }

    public string Name { get; }

    /// <summary>Null for the jobs that are in no queue, which are measured against the whole cluster and not limited.</summary>
    public QueueSpec? Spec { get; }

    public IReadOnlyList<QuotaItem> Items { get; }

    public long[] Now { get; }

    public long[] Later { get; }

    /// <summary>What this pass gave to its jobs; nobody has to give that back again in the same pass.</summary>
    public long[] Given { get; }

    /// <summary>Jobs that have nodes.</summary>
    public int Running { get; private set; }

    /// <summary>Jobs that wait for nodes.</summary>
    public int Pending { get; private set; }

    /// <summary>Counts a job that waits.</summary>
    public void Wait() => Pending++;

    /// <summary>One that waited has nodes.</summary>
    /// <param name="wasCounted">As running too, because it kept nodes for its restart.</param>
    public void Admit(bool wasCounted)
    {
        Pending--;
        if (!wasCounted) Running++;
    }

    /// <summary>Counts a job that has nodes.</summary>
    /// <param name="shape">What a rank asks for.</param>
    /// <param name="ranks">Its ranks.</param>
    /// <param name="later">False when it was told to give them back.</param>
    public void Run(Shape shape, int ranks, bool later)
    {
        Running++;
        Add(Demand(shape, ranks), 1, now: true, later);
    }

    /// <summary>Whether it uses more than its quota of anything, what this pass gave to it aside.</summary>
    public bool Borrows
    {
        get
        {
            for (var item = 0; item < Items.Count; item++)
            {
                if (Spec is not null && Later[item] - Given[item] > Items[item].Limit) return true;
            }

            return false;
        }
    }

    /// <summary>What counts in a view: promised is as good as used.</summary>
    public long Used(int item, Room room) => room == Room.Now ? Math.Max(Now[item], Later[item]) : Later[item];

    public long[] Demand(Shape shape, int ranks)
    {
        var demand = new long[Items.Count];
        for (var item = 0; item < demand.Length; item++) demand[item] = Items[item].Demand(shape, ranks);
        return demand;
    }

    public void Add(long[] demand, int sign, bool now, bool later)
    {
        for (var item = 0; item < demand.Length; item++)
        {
            var amount = demand[item] * sign;
            if (now) (Now[item], Items[item].Total.Now) = (Now[item] + amount, Items[item].Total.Now + amount);
            if (later) (Later[item], Items[item].Total.Later) = (Later[item] + amount, Items[item].Total.Later + amount);
        }
    }

    /// <summary>Its dominant share: the largest part of a quota that is used, by weight.</summary>
    public double Share()
    {
        var share = 0d;
        for (var item = 0; item < Items.Count; item++)
        {
            var used = Used(item, Room.Now);
            if (used > 0) share = Math.Max(share, Items[item].Limit == 0 ? double.MaxValue : used / (double)Items[item].Limit);
        }

        return share / _weight;
    }
}
