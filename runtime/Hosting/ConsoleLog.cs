using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Trestle.Runtime;

/// <summary>The log of a program: lines on stdout, UTC.</summary>
public static class ConsoleLog
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";

    /// <summary>Opens it; disposing writes what is left.</summary>
    public static ILoggerFactory Open(LogLevel level, LogFormat format) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(level).AddFilter("Microsoft", LogLevel.Warning);
        if (format == LogFormat.Json)
        {
            builder.AddJsonConsole(console => (console.TimestampFormat, console.UseUtcTimestamp) = (TimeFormat.TrimEnd(), true));
            return;
        }

        builder.AddSimpleConsole(console =>
        {
            (console.SingleLine, console.ColorBehavior) = (true, LoggerColorBehavior.Disabled);
            (console.TimestampFormat, console.UseUtcTimestamp) = (TimeFormat, true);
        });
    });
}
