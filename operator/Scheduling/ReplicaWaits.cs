namespace Trestle.Operator.Scheduling;

/// <summary>What replicas wait for, as the last pass saw it. Written by the scheduler, read by whoever reports.</summary>
internal sealed class ReplicaWaits
{
    private volatile IReadOnlyDictionary<ReplicaKey, string> _reasons = new Dictionary<ReplicaKey, string>();

    /// <summary>By ordinal, of one service.</summary>
    public IReadOnlyDictionary<int, string> Of(string serviceUid) =>
        _reasons.Where(pair => pair.Key.ServiceUid == serviceUid).ToDictionary(pair => pair.Key.Ordinal, pair => pair.Value);

    /// <summary>Takes what a pass said.</summary>
    public void Tell(IReadOnlyDictionary<ReplicaKey, string> reasons) => _reasons = reasons;
}
