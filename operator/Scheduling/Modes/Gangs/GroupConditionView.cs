namespace Trestle.Operator.Scheduling.Modes.Gangs;

/// <summary>A condition of a group.</summary>
public sealed class GroupConditionView
{
    /// <summary>E.g. PodGroupScheduled.</summary>
    public string Type { get; set; } = "";

    /// <summary>True, False or Unknown.</summary>
    public string Status { get; set; } = "";

    /// <summary>Why, as one word.</summary>
    public string? Reason { get; set; }

    /// <summary>Why, as a sentence.</summary>
    public string? Message { get; set; }
}

/// <summary>What a scheduler says of a group.</summary>
public sealed class GroupStatusView
{
    /// <summary>Null when it says nothing.</summary>
    public List<GroupConditionView>? Conditions { get; set; }

    /// <summary>The words of the first condition that holds.</summary>
    internal string? Words(Func<GroupConditionView, bool> holds) =>
        Conditions?.Find(condition => holds(condition)) is { } condition ? (condition.Message is { Length: > 0 } message ? message : condition.Reason) : null;
}
