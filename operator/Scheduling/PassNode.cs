using Trestle.Operator.Views;

namespace Trestle.Operator.Scheduling;

/// <summary>A node that takes pods, with what one pass may give away of it.</summary>
/// <param name="name">Its name.</param>
/// <param name="labels">Its labels.</param>
/// <param name="taints">Its taints.</param>
/// <param name="allocatable">All that pods may ask for, as <see cref="PodRequests"/> counts.</param>
internal sealed class PassNode(string name, IReadOnlyDictionary<string, string> labels, IReadOnlyList<TaintView> taints, IReadOnlyDictionary<string, long> allocatable)
{
    private readonly Dictionary<string, long> _free = new(allocatable);

    public string Name { get; } = name;

    public IReadOnlyDictionary<string, string> Labels { get; } = labels;

    public IReadOnlyList<TaintView> Taints { get; } = taints;

    public IReadOnlyDictionary<string, long> Allocatable { get; } = allocatable;

    /// <summary>What is left; below zero when the node shrank.</summary>
    public IReadOnlyDictionary<string, long> Free => _free;

    /// <summary>Takes so many times the amounts; gives back when the count is negative.</summary>
    public void Take(IEnumerable<(string Resource, long Amount)> amounts, int count = 1)
    {
        foreach (var (resource, amount) in amounts) _free[resource] = _free.GetValueOrDefault(resource) - (amount * count);
    }
}
