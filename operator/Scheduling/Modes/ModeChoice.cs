using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>Who is to admit a job.</summary>
/// <param name="Mode">Never Auto.</param>
/// <param name="Refusal">Why it can't, as a sentence; null when it can.</param>
/// <param name="Ignored">Fields of the job that it doesn't look at.</param>
public sealed record ModeChoice(SchedulingMode Mode, string? Refusal, IReadOnlyList<string> Ignored)
{
    /// <summary>The operator itself.</summary>
    public static ModeChoice Operator { get; } = new(SchedulingMode.Operator, null, []);
}
