namespace Trestle.Operator.InferenceServices;

/// <summary>What autoscaling asked for at a time.</summary>
/// <param name="At">The time.</param>
/// <param name="Replicas">How many replicas.</param>
internal readonly record struct Recommendation(DateTimeOffset At, int Replicas);
