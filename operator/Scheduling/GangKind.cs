namespace Trestle.Operator.Scheduling;

/// <summary>Gangs that ask the same queues for the same, with one priority: what one of them can't have the next can't either, until there is more room.</summary>
internal sealed class GangKind
{
    /// <summary>The state of the pass (<see cref="GangKinds.GrowRoom"/>) in which one of them had to wait; 0 for none.</summary>
    public int FailedAt { get; set; }

    /// <summary>Number of the task that kept a group from fitting while the nodes of the others were taken, and what it waits for; null when none was noted.</summary>
    public (int Task, string Reason)? Blocked { get; set; }

    /// <summary>What all of them wait for; null until it is asked for.</summary>
    public string? Reason { get; set; }
}
