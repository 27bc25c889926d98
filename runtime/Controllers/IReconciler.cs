namespace Trestle.Runtime;

/// <summary>
/// Brings the world to what one object asks for: reads caches, plans, applies, reports. It is called again after every change,
/// never twice at a time for one object, and may be stopped at any point.
/// Its own writes come late to the cache, so children have deterministic (attempt-numbered) names, and AlreadyExists with
/// our owner is success.
/// </summary>
public interface IReconciler
{
    /// <summary>
    /// Gives when to look again without a change; null for never. An exception is told in the log and tried again, after a
    /// wait that grows to five minutes, for ever.
    /// </summary>
    Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct);
}
