namespace Trestle.Operator.Telemetry;

/// <summary>Takes the first so many different values, for the life of the process.</summary>
/// <param name="most">How many.</param>
internal sealed class FirstSeen<T>(int most)
{
    private readonly HashSet<T> _taken = [];

    public bool Admits(T value)
    {
        lock (_taken) return _taken.Contains(value) || (_taken.Count < most && _taken.Add(value));
    }
}
