using Renci.SshNet;

namespace Trestle.Bridge.Login;

/// <summary>The SSH connections through jump hosts up to a login node. Not safe for concurrent use until it is complete.</summary>
internal sealed class SshWay : IAsyncDisposable
{
    private readonly List<SshClient> _clients = [];
    private readonly List<IDisposable> _others = [];

    /// <summary>The login node.</summary>
    public SshClient End => _clients[^1];

    public bool IsConnected => _clients.TrueForAll(client => client.IsConnected);

    public void Add(SshClient client, PrivateKeyFile key)
    {
        _clients.Add(client);
        _others.Add(key);
    }

    /// <summary>
    /// Opens a port on loopback that the last host forwards to the next one. Others on this machine could use it as well;
    /// what they meet is the sshd of that host, which asks for a key.
    /// </summary>
    public (string Host, int Port) Forward(SshHop next)
    {
        var port = new ForwardedPortLocal("127.0.0.1", 0, next.Host, (uint)next.Port);
        _others.Add(port);
        End.AddForwardedPort(port);
        port.Start();
        return ("127.0.0.1", (int)port.BoundPort);
    }

    public async ValueTask DisposeAsync()
    {
        // From the far end, since each lives in the one before; saying goodbye blocks.
        await Task.Run(() =>
        {
            foreach (var client in Enumerable.Reverse(_clients)) client.Dispose();
            foreach (var other in _others) other.Dispose();
        });
    }
}
