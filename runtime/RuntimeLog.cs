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
}
