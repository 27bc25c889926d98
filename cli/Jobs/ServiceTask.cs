using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Jobs;

/// <summary>A service of a group, as the group's own object tells of it.</summary>
/// <param name="Name">Of the InferenceService.</param>
/// <param name="Status">What it is doing.</param>
/// <param name="Gpus">GPUs that the replicas it begins with ask for.</param>
/// <param name="Why">Why it is doing that.</param>
internal sealed record ServiceTask(string Name, string Status, int Gpus, string Why)
{
    private const string Ended = "Ended";

    /// <summary>It is gone.</summary>
    public bool HasEnded => Status == Ended;

    /// <summary>Those of a group, in its order.</summary>
    public static IReadOnlyList<ServiceTask> Of(JobGroup group) =>
        [.. group.Spec.Tasks.Where(task => task.Service is not null).Select(task => Of(group, task, group.Status?.Tasks?.Find(known => known.Name == task.Name)))];

    private static ServiceTask Of(JobGroup group, JobGroupTask task, JobGroupTaskStatus? status)
    {
        var service = task.Service!;
        return new ServiceTask(status?.Ref ?? $"{group.Metadata.Name}-{task.Name}", status?.Phase ?? "Pending", ServiceFacts.Gpus(service, service.Replicas ?? 1), status?.Message ?? "");
    }
}
