using Microsoft.Extensions.Logging;
using Trestle.Runtime;

namespace Trestle.Operator;

/// <summary>Log lines of the operator.</summary>
internal static partial class OperatorLog
{
    [LoggerMessage(100, LogLevel.Information, "operator works; rendezvous at {Url}")]
    public static partial void Working(ILogger log, string url);

    [LoggerMessage(101, LogLevel.Information, "operator has ended")]
    public static partial void Ended(ILogger log);

    [LoggerMessage(102, LogLevel.Warning, "operator can't work: {Message}; again in {Seconds} s")]
    public static partial void CannotWork(ILogger log, string message, double seconds);

    [LoggerMessage(103, LogLevel.Information, "operator starts; its namespace is {Namespace}, health at {Health}")]
    public static partial void Starting(ILogger log, string @namespace, string health);

    [LoggerMessage(104, LogLevel.Information, "metrics at {Url}/metrics")]
    public static partial void ServesMetrics(ILogger log, string url);

    [LoggerMessage(105, LogLevel.Error, "{Job}: metrics and traces lack one of its changes")]
    public static partial void TelemetryBroke(ILogger log, Exception error, ObjectKey job);

    [LoggerMessage(110, LogLevel.Information, "{Job}: attempt {Attempt} is admitted, nodes: {Nodes}")]
    public static partial void Admitted(ILogger log, ObjectKey job, int attempt, int nodes);

    [LoggerMessage(111, LogLevel.Warning, "admission pass: {Message}; again in {Seconds} s")]
    public static partial void PassFailed(ILogger log, string message, double seconds);

    [LoggerMessage(112, LogLevel.Error, "admission pass: unexpected; again in {Seconds} s")]
    public static partial void PassBroke(ILogger log, Exception error, double seconds);

    [LoggerMessage(114, LogLevel.Information, "{Job}: {Message}")]
    public static partial void Evicted(ILogger log, ObjectKey job, string message);

    [LoggerMessage(120, LogLevel.Information, "{ApiVersion} {Resource} is there")]
    public static partial void Discovered(ILogger log, string apiVersion, string resource);

    [LoggerMessage(121, LogLevel.Warning, "can't tell whether {What} is there: {Message}")]
    public static partial void NotDiscovered(ILogger log, string what, string message);

    [LoggerMessage(115, LogLevel.Information, "{Replica}: a replica is admitted, pods: {Pods}")]
    public static partial void ReplicaAdmitted(ILogger log, ObjectKey replica, int pods);

    [LoggerMessage(116, LogLevel.Warning, "{Service}: replica {Replica} is made anew: {Message}")]
    public static partial void ReplicaFailed(ILogger log, ObjectKey service, int replica, string message);

    [LoggerMessage(113, LogLevel.Warning, "{Job}: its pod can't be made: {Message}")]
    public static partial void NoShape(ILogger log, ObjectKey job, string message);
}
