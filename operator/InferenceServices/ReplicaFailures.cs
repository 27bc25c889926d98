namespace Trestle.Operator.InferenceServices;

/// <summary>How a replica failed lately.</summary>
/// <param name="Count">Failures in a row, 1 or more.</param>
/// <param name="At">The last one.</param>
/// <param name="Message">Why, as a sentence.</param>
internal sealed record ReplicaFailures(int Count, DateTimeOffset At, string Message)
{
    private const int MostDoublings = 10;
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    // Who ran so long has not failed in a row.
    private static readonly TimeSpan Forgiven = TimeSpan.FromMinutes(10);

    /// <summary>When it may be made again.</summary>
    public DateTimeOffset NotBefore => At + (First * Math.Pow(2, Math.Min(Count - 1, MostDoublings)) is var wait && wait < Longest ? wait : Longest);

    /// <summary>One more.</summary>
    /// <param name="before">Those before; null for none.</param>
    /// <param name="now">The time.</param>
    /// <param name="age">For how long its pods were there.</param>
    /// <param name="message">Why, as a sentence.</param>
    public static ReplicaFailures Next(ReplicaFailures? before, DateTimeOffset now, TimeSpan age, string message) => new(before is null || age >= Forgiven ? 1 : before.Count + 1, now, message);
}
