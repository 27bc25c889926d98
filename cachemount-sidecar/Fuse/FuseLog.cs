using Microsoft.Extensions.Logging;

namespace Trestle.CacheMount.Fuse;

/// <summary>Log lines of the FUSE front.</summary>
internal static partial class FuseLog
{
    [LoggerMessage(340, LogLevel.Warning, "a request could not be done: {Message}")]
    public static partial void NotDone(ILogger log, string message);

    [LoggerMessage(341, LogLevel.Error, "a request of {Opcode} broke")]
    public static partial void Broke(ILogger log, Exception error, FuseOpcode opcode);

    [LoggerMessage(342, LogLevel.Warning, "the store can't be listed, so files that others wrote are not shown yet: {Message}")]
    public static partial void NotListed(ILogger log, string message);

    [LoggerMessage(343, LogLevel.Information, "mounted at {Path}; passthrough: {Passthrough}")]
    public static partial void Mounted(ILogger log, string path, string passthrough);

    [LoggerMessage(344, LogLevel.Warning, "{Path} was still mounted by a process that is gone; it was taken away")]
    public static partial void CleanedUp(ILogger log, string path);
}
