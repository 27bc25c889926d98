namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>An expression that does not compile or that failed while it ran. Nothing else leaves the evaluator.</summary>
public sealed class CelException(string message, bool isBudget = false) : Exception(message)
{
    /// <summary>True when the expression ran out of steps rather than failed.</summary>
    public bool IsBudget { get; } = isBudget;
}
