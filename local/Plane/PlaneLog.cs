using Microsoft.Extensions.Logging;

namespace Trestle.Local.Plane;

/// <summary>Log lines of the supervisor and its parts; event ids 4100–4149.</summary>
internal static partial class PlaneLog
{
    [LoggerMessage(4100, LogLevel.Information, "{Part} started as process {Pid}")]
    public static partial void Started(ILogger log, string part, int pid);

    [LoggerMessage(4101, LogLevel.Warning, "{Part} ended with {Code} after {Lived}; it is started again in {Pause}")]
    public static partial void Restarting(ILogger log, string part, int code, TimeSpan lived, TimeSpan pause);

    [LoggerMessage(4102, LogLevel.Information, "{Part} stopped")]
    public static partial void Stopped(ILogger log, string part);

    [LoggerMessage(4103, LogLevel.Warning, "{Part} did not stop in time and is killed")]
    public static partial void Killed(ILogger log, string part);

    [LoggerMessage(4104, LogLevel.Warning, "the supervisor is gone; {Part} stops too")]
    public static partial void Orphaned(ILogger log, string part);

    [LoggerMessage(4105, LogLevel.Information, "the plane is ready")]
    public static partial void Ready(ILogger log);

    [LoggerMessage(4106, LogLevel.Error, "{Part} can't run: {Why}")]
    public static partial void CannotRun(ILogger log, string part, string why);
}
