using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>The status of queues, from what a pass counted. Pure.</summary>
internal static class QueueReports
{
    /// <summary>The queue with its new status; null when its status says so already.</summary>
    /// <param name="queue">The queue; not changed.</param>
    /// <param name="use">What its jobs use.</param>
    /// <param name="now">The time.</param>
    public static Queue? Of(Queue queue, QueueUse use, DateTimeOffset now)
    {
        var items = use.Items.Select((item, at) => (item, Used: use.Now[at])).ToList();
        var borrowed = items.Where(pair => pair.Used > pair.item.Limit).ToList();
        var usage = new QueueUsage
        {
            ObservedGeneration = queue.Metadata.Generation,
            Used = items.ToDictionary(pair => pair.item.Name, pair => Amounts.ToQuantity(pair.item.Resource, pair.Used)),
            Borrowed = borrowed.Count == 0 ? null : borrowed.ToDictionary(pair => pair.item.Name, pair => Amounts.ToQuantity(pair.item.Resource, pair.Used - pair.item.Limit)),
            Running = use.Running,
            Pending = use.Pending,
            Summary = items.Count == 0 ? "no quota" : string.Join(", ", items.Select(pair => Summary(pair.item, pair.Used))),
            Conditions = [.. queue.Status?.Conditions ?? []],
        };
        if (queue.Status is { } known && Same(known, usage)) return null;
        var message = borrowed.Count == 0 ? "within its quota" : "uses more than its quota: " + string.Join(", ", borrowed.Select(pair => Summary(pair.item, pair.Used)));
        usage.Conditions = [.. usage.Conditions.Where(condition => condition.Type != "Borrowing")];
        var before = queue.Status?.Conditions?.Find(condition => condition.Type == "Borrowing");
        if (before is not null) usage.Conditions.Add(new k8s.Models.V1Condition { Type = before.Type, Status = before.Status, LastTransitionTime = before.LastTransitionTime });
        Conditions.Set(usage.Conditions, "Borrowing", borrowed.Count > 0, borrowed.Count > 0 ? "OverQuota" : "WithinQuota", message, queue.Metadata.Generation, now);
        return new Queue { Metadata = queue.Metadata, Spec = queue.Spec, Status = usage };
    }

    // "48/64 GPUs"
    private static string Summary(QuotaItem item, long used) =>
        $"{Amounts.Number(item.Resource, used)}/{Amounts.Number(item.Resource, item.Limit)} {item.Accelerator ?? Amounts.Noun(item.Resource, 0)}";

    private static bool Same(QueueUsage one, QueueUsage other) =>
        one.ObservedGeneration == other.ObservedGeneration && one.Running == other.Running && one.Pending == other.Pending && one.Summary == other.Summary && Same(one.Used, other.Used) && Same(one.Borrowed, other.Borrowed);

    private static bool Same(Dictionary<string, string>? one, Dictionary<string, string>? other) =>
        (one?.Count ?? 0) == (other?.Count ?? 0) && (one ?? []).All(pair => other!.TryGetValue(pair.Key, out var value) && value == pair.Value);
}
