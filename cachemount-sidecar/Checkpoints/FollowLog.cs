using Microsoft.Extensions.Logging;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>Log lines of the follower.</summary>
internal static partial class FollowLog
{
    [LoggerMessage(320, LogLevel.Information, "checkpoint {Name} is in place, {Bytes} bytes")]
    public static partial void InPlace(ILogger log, string name, long bytes);

    [LoggerMessage(321, LogLevel.Warning, "{Key} is no manifest")]
    public static partial void NoManifest(ILogger log, string key);

    [LoggerMessage(322, LogLevel.Warning, "{Key} can't be fetched: {Message}; it is tried again")]
    public static partial void CannotFetch(ILogger log, string key, string message);

    [LoggerMessage(323, LogLevel.Warning, "checkpoints of {Store} can't be listed: {Message}; it is tried again")]
    public static partial void CannotLook(ILogger log, string store, string message);
}
