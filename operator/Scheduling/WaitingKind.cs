namespace Trestle.Operator.Scheduling;

/// <summary>A gang that waits, before the reasons are put in words.</summary>
/// <param name="Gang">The gang.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Reason">Its own reason; null for that of its kind.</param>
internal readonly record struct WaitingKind(Gang Gang, GangKind Kind, string? Reason);
