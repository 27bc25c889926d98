using System.Runtime.InteropServices;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>A node that takes pods, with what one pass may give away of it.</summary>
/// <param name="name">Its name.</param>
/// <param name="labels">Its labels.</param>
/// <param name="taints">Its taints.</param>
/// <param name="allocatable">All that pods may ask for, as <see cref="PodRequests"/> counts.</param>
internal sealed class PassNode(string name, IReadOnlyDictionary<string, string> labels, IReadOnlyList<TaintView> taints, IReadOnlyDictionary<string, long> allocatable)
{
    private readonly Dictionary<string, long> _free = new(allocatable);
    private Dictionary<string, long>? _ending;
    private Dictionary<string, long>? _foreign;
    private List<ObjectKey>? _leaving;

    public string Name { get; } = name;

    public IReadOnlyDictionary<string, string> Labels { get; } = labels;

    public IReadOnlyList<TaintView> Taints { get; } = taints;

    public IReadOnlyDictionary<string, long> Allocatable { get; } = allocatable;

    /// <summary>What is left; below zero when the node shrank.</summary>
    public IReadOnlyDictionary<string, long> Free => _free;

    /// <summary>What is taken now and free when the pods of jobs that were told to end have ended; null for nothing.</summary>
    public IReadOnlyDictionary<string, long>? Ending => _ending;

    /// <summary>What is taken by pods that belong to no job, and may be for ever; null for nothing.</summary>
    public IReadOnlyDictionary<string, long>? Foreign => _foreign;

    /// <summary>Jobs that were preempted and whose pods are still here.</summary>
    public IReadOnlyList<ObjectKey> Leaving => _leaving ?? [];

    /// <summary>Takes so many times the amounts; gives back when the count is negative.</summary>
    public void Take(ReadOnlySpan<(string Resource, long Amount)> amounts, int count = 1) => Add(_free, amounts, -count);

    /// <summary>What a pod of nobody's job takes.</summary>
    public void TakeForeign(ReadOnlySpan<(string Resource, long Amount)> amounts)
    {
        Take(amounts);
        Add(_foreign ??= [], amounts, 1);
    }

    /// <summary>What is taken now and ends soon.</summary>
    /// <param name="amounts">The amounts.</param>
    /// <param name="preempted">The job, when it was preempted.</param>
    public void TakeEnding(ReadOnlySpan<(string Resource, long Amount)> amounts, ObjectKey? preempted = null)
    {
        Take(amounts);
        Add(_ending ??= [], amounts, 1);
        if (preempted is { } job && !(_leaving ??= []).Contains(job)) _leaving.Add(job);
    }

    private static void Add(Dictionary<string, long> sum, ReadOnlySpan<(string Resource, long Amount)> amounts, int count)
    {
        foreach (var (resource, amount) in amounts) CollectionsMarshal.GetValueRefOrAddDefault(sum, resource, out _) += amount * count;
    }
}
