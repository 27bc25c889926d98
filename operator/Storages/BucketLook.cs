using System.Globalization;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Storages;

/// <summary>What to do about looking into a bucket.</summary>
public enum LookStep
{
    /// <summary>Nothing now.</summary>
    Wait,

    /// <summary>Start a pod that looks.</summary>
    Start,

    /// <summary>Take what the pod found, and delete it.</summary>
    Take,

    /// <summary>Delete a pod that looks at what is no longer asked for.</summary>
    Discard,
}

/// <summary>
/// Looks into buckets with short-lived pods in their own namespace: the operator needs no right to read the Secrets of others,
/// and what it is told is what a job's pod would find. Pure.
/// </summary>
public static class BucketLook
{
    /// <summary>How often a bucket that is in use is looked into: each look lists it.</summary>
    public static readonly TimeSpan WhileInUse = TimeSpan.FromMinutes(5);

    /// <summary>How soon a bucket that can't be used is tried again.</summary>
    public static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(30);

    private const string Generation = "trestle.dev/storage-generation";
    private const long MostSeconds = 300;
    private static readonly ResourceKind StorageKind = ResourceKind.Of<Storage>();

    /// <summary>What to do now.</summary>
    /// <param name="storage">The storage.</param>
    /// <param name="pod">The pod that looks; null for none.</param>
    /// <param name="users">Jobs that mount it.</param>
    /// <param name="now">The time.</param>
    public static (LookStep Step, TimeSpan? Again) Next(Storage storage, PodView? pod, IReadOnlyCollection<TrainingJob> users, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(storage);
        if (pod is not null)
        {
            if (pod.IsTerminating()) return (LookStep.Wait, null);
            if (pod.Label(Generation) != Text(storage.Metadata.Generation)) return (LookStep.Discard, null);
            return (pod.IsTerminal() ? LookStep.Take : LookStep.Wait, null);
        }

        if (storage.Status is not { LookedAt: { } looked } status || status.ObservedGeneration != storage.Metadata.Generation) return (LookStep.Start, null);
        var since = now.UtcDateTime - looked;
        var isUsed = users.Any(job => job.Status?.HasEnded() != true);
        if (status.Phase == StoragePhase.Failed || (isUsed && IsReadOnly(status))) return since >= AfterFailure ? (LookStep.Start, null) : (LookStep.Wait, AfterFailure - since);
        if (users.Any(job => job.Status?.Timeline?.FinishedAt > looked)) return (LookStep.Start, null);
        if (!isUsed) return (LookStep.Wait, null);
        return since >= WhileInUse ? (LookStep.Start, null) : (LookStep.Wait, WhileInUse - since);
    }

    /// <summary>Whether nothing could be written at the last look.</summary>
    public static bool IsReadOnly(StorageStatus status)
    {
        ArgumentNullException.ThrowIfNull(status);
        return status.Conditions?.Exists(condition => condition is { Type: StoragePlanner.Writable, Status: "False" }) == true;
    }

    /// <summary>The pod.</summary>
    public static V1Pod Pod(Storage storage, PodSettings settings)
    {
        ArgumentNullException.ThrowIfNull(storage);
        ArgumentNullException.ThrowIfNull(settings);
        var bucket = storage.Spec.S3!;
        return new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = new V1ObjectMeta
            {
                Name = Names.StorageLookPod(storage.Metadata.Name),
                NamespaceProperty = storage.Metadata.NamespaceProperty,
                Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue, [Labels.Storage] = storage.Metadata.Name, [Generation] = Text(storage.Metadata.Generation) },
                OwnerReferences = [storage.AsController(StorageKind)],
            },
            Spec = new V1PodSpec
            {
                RestartPolicy = "Never",
                ActiveDeadlineSeconds = MostSeconds,
                AutomountServiceAccountToken = false,
                EnableServiceLinks = false,
                Containers =
                [
                    new V1Container
                    {
                        Name = "look",
                        Image = settings.NodeImage ?? settings.DefaultImage,
                        Command = ["trestle-node", "cachemount", "look", .. BucketAccess.Arguments(bucket, null), "--out", "/dev/termination-log"],
                        Env = BucketAccess.Environment(bucket),
                        TerminationMessagePolicy = "FallbackToLogsOnError",
                        SecurityContext = new V1SecurityContext { AllowPrivilegeEscalation = false, Capabilities = new V1Capabilities { Drop = ["ALL"] } },
                        Resources = new V1ResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("50m"), ["memory"] = new("64Mi") } },
                    },
                ],
            },
        };
    }

    /// <summary>What the pod found, or why it can't look; null while it does not say.</summary>
    public static BucketFinding? Finding(PodView pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        var state = pod.Status?.ContainerStatuses?.FirstOrDefault()?.State;
        var begun = pod.Metadata.CreationTimestamp ?? default;
        if (state?.Waiting is { Reason: not (null or "ContainerCreating" or "PodInitializing") } waiting) return BucketFinding.Failed(begun, $"the pod that looks into it can't start: {waiting.Message ?? waiting.Reason}");
        if (!pod.IsTerminal()) return null;
        if (state?.Terminated is not { } ended) return BucketFinding.Failed(begun, $"the pod that looked into it was ended: {pod.Status?.Message ?? pod.Status?.Reason ?? "no reason is known"}");
        var at = ended.FinishedAt is { } finished && finished > begun ? finished : begun; // the node's clock may be behind
        if (ended.ExitCode != 0) return BucketFinding.Failed(at, LastLine(ended.Message) ?? $"the look into it ended with exit code {Text(ended.ExitCode)}");
        return StorageReport.FromText(ended.Message) is { } report ? new BucketFinding(at, report, null) : BucketFinding.Failed(at, "the pod that looked into it said nothing that can be read; its image and the operator must be of the same version");
    }

    private static string? LastLine(string? text) => text?.TrimEnd().Split('\n')[^1].Trim() is { Length: > 0 } line ? line : null;

    private static string Text(long? number) => (number ?? 0).ToString(CultureInfo.InvariantCulture);
}

