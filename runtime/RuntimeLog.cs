using Microsoft.Extensions.Logging;

namespace Trestle.Runtime;

/// <summary>Log lines of the runtime.</summary>
internal static partial class RuntimeLog
{
    [LoggerMessage(1, LogLevel.Information, "watch of {Kind} is too old; listing again")]
    public static partial void WatchExpired(ILogger log, string kind);

    [LoggerMessage(2, LogLevel.Warning, "watch of {Kind} lost: {Message}")]
    public static partial void WatchLost(ILogger log, string kind, string message);

    [LoggerMessage(3, LogLevel.Warning, "{Controller} {Key}: {Message}; again in {Seconds:0.0} s")]
    public static partial void ReconcileFailed(ILogger log, string controller, ObjectKey key, string message, double seconds);

    [LoggerMessage(4, LogLevel.Error, "{Controller} {Key}: unexpected; again in {Seconds:0.0} s")]
    public static partial void ReconcileBroke(ILogger log, Exception error, string controller, ObjectKey key, double seconds);

    [LoggerMessage(5, LogLevel.Information, "{Lease}: {Identity} leads")]
    public static partial void Leading(ILogger log, ObjectKey lease, string identity);

    [LoggerMessage(6, LogLevel.Information, "{Lease}: {Identity} leads no more")]
    public static partial void NotLeading(ILogger log, ObjectKey lease, string identity);

    [LoggerMessage(7, LogLevel.Warning, "{Lease}: the lease could not be read or written: {Message}")]
    public static partial void LeaseFailed(ILogger log, ObjectKey lease, string message);

    [LoggerMessage(8, LogLevel.Warning, "{Count} events were dropped: the server is slower than they come")]
    public static partial void EventsDropped(ILogger log, long count);

    [LoggerMessage(9, LogLevel.Warning, "event {Reason} about {Key} could not be written: {Message}")]
    public static partial void EventFailed(ILogger log, string reason, ObjectKey key, string message);

    [LoggerMessage(10, LogLevel.Error, "watch of {Kind} broke; listing again")]
    public static partial void WatchBroke(ILogger log, Exception error, string kind);
}
