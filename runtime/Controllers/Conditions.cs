using k8s.Models;

namespace Trestle.Runtime;

/// <summary>Conditions of a status, by the Kubernetes rules.</summary>
public static class Conditions
{
    /// <summary>
    /// Sets a condition. lastTransitionTime changes only when the status does.
    /// </summary>
    /// <returns>True when the status of the condition changed.</returns>
    public static bool Set(IList<V1Condition> conditions, string type, bool status, string reason, string message, long? generation, DateTimeOffset now)
    {
        var text = status ? "True" : "False";
        var known = conditions.FirstOrDefault(condition => condition.Type == type);
        var changed = known?.Status != text;
        if (known is null) conditions.Add(known = new V1Condition { Type = type });
        if (changed) known.LastTransitionTime = now.UtcDateTime;
        known.Status = text;
        known.Reason = reason;
        known.Message = message;
        known.ObservedGeneration = generation;
        return changed;
    }

    /// <summary>Whether the condition is there and True.</summary>
    public static bool IsTrue(IEnumerable<V1Condition>? conditions, string type) =>
        conditions?.Any(condition => condition.Type == type && condition.Status == "True") == true;
}
