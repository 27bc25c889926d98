namespace Trestle.Local.ApiMachinery.Cel;

/// <summary>Arithmetic of cost estimates: sums and products stop at the top instead of wrapping.</summary>
internal static class Cost
{
    public const double PerCharacter = 0.1;
    public const double PerPatternCharacter = 0.25;
    public const ulong MakeList = 10;
    public const ulong MakeMap = 30;

    public static ulong Add(ulong a, ulong b) => a > ulong.MaxValue - b ? ulong.MaxValue : a + b;

    public static ulong Multiply(ulong a, ulong b) => b != 0 && a > ulong.MaxValue / b ? ulong.MaxValue : a * b;

    public static ulong Scale(ulong size, double factor)
    {
        var scaled = Math.Ceiling(size * factor);
        return scaled >= ulong.MaxValue ? ulong.MaxValue : (ulong)scaled;
    }

    public static ulong Sum(IEnumerable<Typed> parts) => parts.Aggregate(0UL, (sum, p) => Add(sum, p.Cost));
}

/// <summary>What the checker knows of an expression: its type, the greatest size of its value, the most it can cost to evaluate.</summary>
internal readonly record struct Typed(CelType Type, ulong Size, ulong Cost)
{
    public Typed(CelType type, ulong cost) : this(type, type.Size, cost) { }
}
