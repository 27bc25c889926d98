using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Trestle.Bridge.Login;

/// <summary>Login nodes over SSH, with one connection for each login.</summary>
public sealed class SshLoginNodes : ILoginNodes, IAsyncDisposable
{
    private static readonly TimeSpan Round = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<ClusterLogin, SshLoginNode> _nodes = new();
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _logins = new();
    private readonly SshOptions _options;
    private readonly SshConnector _connector;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _end = new();

    /// <summary>Makes no contact yet.</summary>
    public SshLoginNodes(SshOptions options, TimeProvider time, ILogger log)
    {
        (_options, _time, _log) = (options, time, log);
        _connector = new SshConnector(options, time);
        var round = options.IdleTimeout < Round ? options.IdleTimeout : Round;
        _timer = time.CreateTimer(_ => CloseIdle(), null, round, round);
    }

    /// <inheritdoc/>
    public ILoginNode Of(ClusterLogin login)
    {
        var logins = _logins.GetOrAdd(login.Cluster, _ => new SemaphoreSlim(_options.LoginsPerCluster));
        return _nodes.GetOrAdd(login, one => new SshLoginNode(one, _connector, logins, _options, _time, _log, _end.Token));
    }

    /// <summary>Ends without waiting for scripts at work, which go on where they are.</summary>
    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        await _end.CancelAsync();
        foreach (var node in _nodes.Values) node.Close();
        _end.Dispose();
    }

    private void CloseIdle()
    {
        foreach (var node in _nodes.Values) node.CloseIdle(_options.IdleTimeout);
    }
}
