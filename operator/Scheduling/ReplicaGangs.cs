using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>Sorts replicas of services into the gangs that wait.</summary>
internal sealed class ReplicaGangs(GangQueue queue, Func<ObjectKey, TrainingJob> jobOf)
{
    private readonly Dictionary<string, Gang> _groups = queue.Gangs.Where(gang => gang.Services.Count > 0).ToDictionary(gang => gang.Uid);
    private readonly Dictionary<string, List<ReplicaClaim>> _together = [];
    private readonly Dictionary<string, string> _refused = [];
    private readonly List<Gang> _alone = [];
    private readonly Dictionary<ReplicaKey, string> _held = [];

    /// <summary>One more replica.</summary>
    /// <param name="replica">The replica.</param>
    /// <param name="refused">Why its queue does not take it; null when it does.</param>
    public void Add(ReplicaClaim replica, string? refused)
    {
        if (refused is not null && replica.Waiting.Count > 0) _held[replica.Key] = refused;
        if (replica.GroupUid is { } group && _groups.ContainsKey(group))
        {
            (_together.TryGetValue(group, out var known) ? known : _together[group] = []).Add(replica);
            if (refused is not null) _refused.TryAdd(group, refused);
        }
        else if (replica.Waiting.Count > 0 && replica is { GroupUid: not null, IsAwaited: false })
        {
            _held.TryAdd(replica.Key, "waiting for the jobs of its group, which start with it");
        }
        else if (refused is null && replica.Waiting.Count > 0)
        {
            _alone.Add(replica.ToGang());
        }
    }

    /// <summary>The queue with all of them.</summary>
    public GangQueue ToQueue()
    {
        if (_groups.Count == 0 && _alone.Count == 0 && _held.Count == 0) return queue;
        var (gangs, held) = (new List<Gang>(queue.Gangs.Count + _alone.Count), new List<(TrainingJob, string)>(queue.Held));
        foreach (var gang in queue.Gangs)
        {
            var parts = _together.GetValueOrDefault(gang.Uid) ?? [];
            if (gang.Services.Count == 0) gangs.Add(gang);
            else if ((_refused.GetValueOrDefault(gang.Uid) ?? Missing(gang, parts)) is { } reason) Hold(gang, parts, reason, held);
            else gangs.Add(gang with { Jobs = [.. gang.Jobs, .. parts.Where(part => part.Waiting.Count > 0).Select(part => part.ToPart())] });
        }

        gangs.AddRange(_alone);
        return queue with { Gangs = gangs, Held = held, HeldReplicas = _held };
    }

    private void Hold(Gang gang, List<ReplicaClaim> parts, string reason, List<(TrainingJob, string)> held)
    {
        held.AddRange(gang.Jobs.Select(job => (jobOf(job.Job), reason)));
        foreach (var part in parts.Where(part => part.Waiting.Count > 0)) _held.TryAdd(part.Key, reason);
    }

    // Why the services of the group can't start with its jobs yet; null when they can.
    private static string? Missing(Gang gang, List<ReplicaClaim> parts)
    {
        foreach (var (service, replicas) in gang.Services)
        {
            if (parts.Count(part => part.Service == service && (part.Waiting.Count > 0 || part.Placed.Count > 0)) < replicas)
                return $"waiting for the pods of {service.Name}, a service of its group, to be created";
        }

        return null;
    }
}
