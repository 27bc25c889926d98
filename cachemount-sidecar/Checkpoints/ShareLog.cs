using Microsoft.Extensions.Logging;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>Log lines of shares.</summary>
internal static partial class ShareLog
{
    [LoggerMessage(360, LogLevel.Warning, "shares of checkpoints can't be seen: {Message}; it is tried again")]
    public static partial void Trouble(ILogger log, string message);

    [LoggerMessage(362, LogLevel.Warning, "checkpoint {Name} is not listed: rank {Rank} has a file in it whose name can't be stored")]
    public static partial void Broken(ILogger log, string name, int rank);

    [LoggerMessage(361, LogLevel.Information, "checkpoint {Name} is whole: all {Nodes} ranks have theirs in the store, {Bytes} bytes")]
    public static partial void Whole(ILogger log, string name, int nodes, long bytes);
}
