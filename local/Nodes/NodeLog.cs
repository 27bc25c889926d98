using Microsoft.Extensions.Logging;

namespace Trestle.Local.Nodes;

/// <summary>Log lines of the node agent; event ids 4000–4099.</summary>
internal static partial class NodeLog
{
    [LoggerMessage(4000, LogLevel.Information, "pod {Pod}: container {Container} started (restart {Restart})")]
    public static partial void ContainerStarted(ILogger log, string pod, string container, int restart);

    [LoggerMessage(4001, LogLevel.Information, "pod {Pod}: container {Container} ended with {Code} ({Reason})")]
    public static partial void ContainerEnded(ILogger log, string pod, string container, int code, string reason);

    [LoggerMessage(4002, LogLevel.Information, "pod {Pod}: container {Container} taken over from an earlier agent")]
    public static partial void ContainerAdopted(ILogger log, string pod, string container);

    [LoggerMessage(4003, LogLevel.Information, "pod {Pod}: {Phase}")]
    public static partial void PodPhase(ILogger log, string pod, string phase);

    [LoggerMessage(4004, LogLevel.Information, "pod {Pod}: removed")]
    public static partial void PodRemoved(ILogger log, string pod);

    [LoggerMessage(4005, LogLevel.Warning, "pod {Pod}: will try again: {Why}")]
    public static partial void PodTurnFailed(ILogger log, string pod, string why);

    [LoggerMessage(4006, LogLevel.Error, "pod {Pod}: worker ended unexpectedly and is started again")]
    public static partial void PodWorkerDied(ILogger log, Exception error, string pod);

    [LoggerMessage(4010, LogLevel.Information, "pod {Pod}: bound to {Node}")]
    public static partial void PodBound(ILogger log, string pod, string node);

    [LoggerMessage(4011, LogLevel.Information, "pod {Pod}: unschedulable: {Message}")]
    public static partial void PodUnschedulable(ILogger log, string pod, string message);

    [LoggerMessage(4012, LogLevel.Warning, "scheduling will be tried again: {Why}")]
    public static partial void SchedulingFailed(ILogger log, string why);

    [LoggerMessage(4020, LogLevel.Information, "node {Node}: registered")]
    public static partial void NodeRegistered(ILogger log, string node);

    [LoggerMessage(4021, LogLevel.Warning, "node {Node}: {Fault}")]
    public static partial void NodeFault(ILogger log, string node, string fault);

    [LoggerMessage(4022, LogLevel.Information, "node {Node}: removed, as this start has fewer nodes")]
    public static partial void NodeRetired(ILogger log, string node);

    [LoggerMessage(4023, LogLevel.Information, "removed what a pod that no longer exists left behind: {Directory}")]
    public static partial void OrphanRemoved(ILogger log, string directory);

    [LoggerMessage(4024, LogLevel.Warning, "logs can't be written and will be tried again: {Why}")]
    public static partial void LogsStuck(ILogger log, string why);

    [LoggerMessage(4025, LogLevel.Warning, "{What} will be tried again: {Why}")]
    public static partial void LoopFailed(ILogger log, string what, string why);

    [LoggerMessage(4026, LogLevel.Debug, "watch of {Path} ended: {Why}")]
    public static partial void WatchLost(ILogger log, string path, string why);

    [LoggerMessage(4027, LogLevel.Debug, "event dropped: {Why}")]
    public static partial void EventDropped(ILogger log, string why);
}
