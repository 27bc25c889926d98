using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Trestle.Local.ApiServer;

/// <summary>How a server is started.</summary>
public sealed record ApiServerOptions
{
    /// <summary>Where the journal, keys and kubeconfig are kept; null keeps everything in memory.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Port on 127.0.0.1; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>The admin's bearer token; made up, or read from the state directory, when null.</summary>
    public string? AdminToken { get; init; }

    /// <summary>JSON file that says what users other than the admin and service accounts may do; null lets them do everything.</summary>
    public string? PolicyFile { get; init; }

    /// <summary>Clock of timestamps, grace periods, bookmarks and tokens.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where failures, and at Debug every request, are logged; bodies and tokens never are.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>Opens journal files; the tests give files that fail as disks do.</summary>
    internal Func<string, IJournalFile>? JournalFiles { get; init; }
}
