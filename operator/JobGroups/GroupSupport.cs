using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.JobGroups;

/// <summary>What of a group can't be run.</summary>
internal static class GroupSupport
{
    /// <summary>What this operator never runs, as a sentence; null when it can run all of it.</summary>
    public static string? Unsupported(JobGroupSpec spec)
    {
        if (spec.Tasks.Find(task => task.Service is not null) is { } service) return $"task {service.Name} is a service, and services are not run by this version; make it a job or remove it";
        if (spec.Tasks.Find(task => task.OnCheckpoint is not null) is { } watcher) return $"task {watcher.Name} has onCheckpoint, which this version does not do; remove it and let a task watch for checkpoints and launch jobs";
        return null;
    }

    /// <summary>What is wrong with what may still be changed, as a sentence; null when nothing is.</summary>
    public static string? Problem(JobGroupSpec spec)
    {
        if (spec.TerminationDelay is not { } delay) return null;
        if (delay.Problem is { } problem) return problem;
        var unknown = delay.Tasks.FirstOrDefault(name => spec.Tasks.TrueForAll(task => task.Name != name));
        return unknown is null ? null : $"terminationDelay names {unknown}, which is no task of the group; its tasks are {string.Join(", ", spec.Tasks.Select(task => task.Name))}";
    }
}
