namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>One overload of a function; a method's target is its first parameter.</summary>
/// <param name="Estimate">Cost and result size from the arguments; a cost of one and the type's size when there is none.</param>
internal sealed record CelFunction(
    string Name, bool IsMethod, IReadOnlyList<CelType> Parameters, CelType Result, Func<IReadOnlyList<object?>, object?> Body,
    Func<IReadOnlyList<Typed>, (ulong Cost, ulong Size)>? Estimate = null, Func<IReadOnlyList<Typed>, CelType>? ResultOf = null)
{
    public bool Fits(IReadOnlyList<Typed> arguments)
    {
        for (var i = 0; i < Parameters.Count; i++)
            if (!Parameters[i].Accepts(arguments[i].Type)) return false;
        return true;
    }

    public bool Fits(IReadOnlyList<object?> arguments)
    {
        for (var i = 0; i < Parameters.Count; i++)
            if (Parameters[i].Kind != CelKind.Dyn && Parameters[i].Kind != CelOperators.KindOf(arguments[i])) return false;
        return true;
    }
}
