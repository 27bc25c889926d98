using Microsoft.Extensions.Logging;

namespace Trestle.CacheMount.Flush;

/// <summary>Log lines of the flush engine.</summary>
internal static partial class FlushLog
{
    [LoggerMessage(300, LogLevel.Warning, "{Path} is not in the store yet: {Message}; it is tried again")]
    public static partial void Trouble(ILogger log, string path, string message);

    [LoggerMessage(301, LogLevel.Error, "a part of the flush engine broke")]
    public static partial void Broke(ILogger log, Exception error);
}
