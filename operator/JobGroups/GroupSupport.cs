using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.JobGroups;

/// <summary>What of a group can't be run.</summary>
internal static class GroupSupport
{
    /// <summary>What this operator never runs, as a sentence; null when it can run all of it.</summary>
    public static string? Unsupported(JobGroupSpec spec)
    {
        if (spec.Tasks.Find(task => task is { Service: not null, Role: TaskRole.Primary }) is { } service) return $"task {service.Name} is a service, which never ends by itself, so it can't be Primary; make it Auxiliary or leave role out";
        if (spec.Tasks.TrueForAll(task => task.Job is null)) return "the group has no job, so nothing would ever end it; add a task with a job, or make InferenceServices by themselves";
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
