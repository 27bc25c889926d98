using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.JobGroups;

namespace Trestle.Operator.Launch;

/// <summary>What the ranks of an attempt are told, on every backend. Pure.</summary>
internal static class AttemptFacts
{
    /// <summary>The facts.</summary>
    /// <param name="job">The job.</param>
    /// <param name="group">Its group; null when it has none.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="addresses">Address of every rank.</param>
    public static LaunchFacts Of(TrainingJob job, JobGroup? group, int attempt, IReadOnlyList<string> addresses)
    {
        var tasks = group?.Spec.Tasks ?? [];
        return new LaunchFacts(job.Metadata.Name, job.Metadata.Uid, attempt, addresses, job.Accelerators?.Count ?? 0, LaunchEnvironment.HeadPort(job.Metadata.Uid, attempt))
        {
            Namespace = job.Metadata.NamespaceProperty ?? "default",
            Group = job.TaskGroup ?? job.Spec.Group,
            Task = job.TaskName,
            TaskIndex = Math.Max(0, tasks.FindIndex(task => task.Name == job.TaskName)),
            TaskCount = Math.Max(1, tasks.Count),
            CheckpointDirectory = job.CheckpointDirectory,
            HeartbeatFile = job.HangTimeout is null ? null : Paths.HeartbeatFile,
            Accelerator = job.Accelerators?.Name,
            Services = group is null ? [] : [.. tasks.Where(task => task.Service is not null).Select(task => Service(task.Name, GroupObjects.Inference(group, task)))],
        };
    }

    private static ServiceFacts Service(string task, InferenceService service) =>
        new(task, service.Url, service.WeightsUrl, service.ServedName, service.FirstReplicas) { EndpointsFile = $"{Paths.Service(task)}/{Paths.EndpointsFile}" };
}
