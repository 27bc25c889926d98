using Microsoft.Extensions.Logging;

namespace Trestle.Bridge.Login;

/// <summary>Log lines of the contact to login nodes.</summary>
internal static partial class LoginLog
{
    [LoggerMessage(300, LogLevel.Information, "{Login}: connected")]
    public static partial void Connected(ILogger log, ClusterLogin login);

    [LoggerMessage(301, LogLevel.Warning, "{Login}: {Message}; tried again from {Seconds} s on")]
    public static partial void ConnectFailed(ILogger log, ClusterLogin login, string message, double seconds);

    [LoggerMessage(302, LogLevel.Information, "{Login}: connection given up: {Reason}")]
    public static partial void Retired(ILogger log, ClusterLogin login, string reason);
}
