using System.Globalization;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes.Gangs;

/// <summary>What the groups of all schedulers have in common. Pure.</summary>
internal static class GangNames
{
    private static readonly ResourceKind JobKind = ResourceKind.Of<TrainingJob>();

    /// <summary>Name of the group of an attempt.</summary>
    public static string Group(TrainingJob job, int attempt) => $"{job.Metadata.Name}-a{attempt.ToString(CultureInfo.InvariantCulture)}";

    public static V1ObjectMeta Metadata(TrainingJob job, int attempt) => new()
    {
        Name = Group(job, attempt),
        NamespaceProperty = job.Metadata.NamespaceProperty,
        Labels = new Dictionary<string, string>(StringComparer.Ordinal) { [Labels.ManagedBy] = Labels.ManagedByValue, [Labels.JobUid] = job.Metadata.Uid, [Labels.JobName] = job.Metadata.Name, [Labels.Attempt] = attempt.ToString(CultureInfo.InvariantCulture) },
        OwnerReferences = [job.AsController(JobKind)],
    };

    /// <summary>The attempt of a group; 0 on those of others.</summary>
    public static int AttemptOf(IPodGroup group) => int.TryParse(group.Label(Labels.Attempt), NumberStyles.None, CultureInfo.InvariantCulture, out var attempt) ? attempt : 0;

    /// <summary>Pods of the current attempt.</summary>
    public static int Size(TrainingJob job) => job.Status?.Admission?.Size ?? job.Spec.Nodes ?? 1;

    /// <summary>What so many pods ask for together, as quantities by resource.</summary>
    public static Dictionary<string, string>? Total(V1PodSpec pod, int count)
    {
        var total = PodRequests.Of(pod).Where(request => request.Key != PodRequests.Pods && request.Value > 0).ToDictionary(
            request => request.Key,
            request => (request.Value * count).ToString(CultureInfo.InvariantCulture) + (request.Key == PodRequests.Cpu ? "m" : ""),
            StringComparer.Ordinal);
        return total.Count == 0 ? null : total;
    }
}
