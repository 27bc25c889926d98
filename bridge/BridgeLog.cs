using Microsoft.Extensions.Logging;
using Trestle.Runtime;

namespace Trestle.Bridge;

/// <summary>Log lines of the bridge.</summary>
internal static partial class BridgeLog
{
    [LoggerMessage(200, LogLevel.Information, "bridge starts; its namespace is {Namespace}, health at {Health}")]
    public static partial void Starting(ILogger log, string @namespace, string health);

    [LoggerMessage(201, LogLevel.Information, "bridge works; logs of jobs at {Url}")]
    public static partial void Working(ILogger log, string url);

    [LoggerMessage(202, LogLevel.Information, "bridge has ended")]
    public static partial void Ended(ILogger log);

    [LoggerMessage(203, LogLevel.Warning, "bridge can't work: {Message}; again in {Seconds} s")]
    public static partial void CannotWork(ILogger log, string message, double seconds);

    [LoggerMessage(210, LogLevel.Information, "cluster {Cluster}: serving it")]
    public static partial void Serving(ILogger log, string cluster);

    [LoggerMessage(211, LogLevel.Information, "cluster {Cluster}: no longer serving it")]
    public static partial void NotServing(ILogger log, string cluster);

    [LoggerMessage(212, LogLevel.Error, "cluster {Cluster}: a part of its service broke; it begins anew")]
    public static partial void SessionBroke(ILogger log, Exception error, string cluster);

    [LoggerMessage(220, LogLevel.Warning, "no answer from a login node: {Message}")]
    public static partial void ContactLost(ILogger log, string message);

    [LoggerMessage(221, LogLevel.Information, "a login node answers again")]
    public static partial void ContactBack(ILogger log);

    [LoggerMessage(222, LogLevel.Warning, "no answer about {Count} submissions: {Message}; they are looked for before anything is sent again")]
    public static partial void SubmissionNotHeard(ILogger log, int count, string message);

    [LoggerMessage(230, LogLevel.Information, "{Job}: Slurm job {JobId}")]
    public static partial void Submitted(ILogger log, ObjectKey job, string jobId);

    [LoggerMessage(231, LogLevel.Information, "{Job}: Slurm job {JobId} is to end: {Step}")]
    public static partial void Ending(ILogger log, ObjectKey job, string jobId, string step);
}
