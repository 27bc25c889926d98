using System.Text;
using Renci.SshNet;

namespace Trestle.Bridge.Login;

/// <summary>Logs in to a login node, through its jump hosts.</summary>
internal sealed class SshConnector(SshOptions options, TimeProvider time)
{
    /// <exception cref="ContactLostException">Some host on the way did not let us in.</exception>
    public async Task<SshConnection> ConnectAsync(ClusterLogin login, CancellationToken ct)
    {
        var hops = HopsOf(login);
        var pins = KnownHosts.Parse(login.KnownHosts);
        var way = new SshWay();
        try
        {
            // The first host is spoken to directly, each other one through a port that the host before it forwards.
            (string Host, int Port) at = (hops[0].Host, hops[0].Port);
            for (var i = 0; i < hops.Count; i++)
            {
                await LogInAsync(way, hops[i], at, KeyOf(login), pins, ct);
                if (i + 1 < hops.Count) at = way.Forward(hops[i + 1]);
            }

            return new SshConnection(way, options, time);
        }
        catch (Exception error)
        {
            await way.DisposeAsync();
            if (error is ContactLostException or OperationCanceledException) throw;
            throw SshFailure.Of(hops[^1], error);
        }
    }

    private static IReadOnlyList<SshHop> HopsOf(ClusterLogin login)
    {
        try
        {
            return SshHop.Of(login);
        }
        catch (FormatException error)
        {
            throw new ContactLostException($"{error.Message}; correct spec.ssh.jumpHosts", error);
        }
    }

    private static PrivateKeyFile KeyOf(ClusterLogin login)
    {
        // A missing last line break is how Secrets are often written.
        using var text = new MemoryStream(Encoding.UTF8.GetBytes(login.PrivateKey.TrimEnd() + "\n"));
        try
        {
            return new PrivateKeyFile(text);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            throw SshFailure.OfKey(login.User, error);
        }
    }

    private async Task LogInAsync(SshWay way, SshHop hop, (string Host, int Port) at, PrivateKeyFile key, KnownHosts pins, CancellationToken ct)
    {
        var info = new ConnectionInfo(at.Host, at.Port, hop.User, new PrivateKeyAuthenticationMethod(hop.User, key))
        {
            Timeout = options.ConnectTimeout,
            MaxSessions = options.ChannelsPerConnection + SshConnection.AbandonedChannels,
            // A busy sshd may see a new channel before it has put away those that are closed.
            RetryAttempts = 5,
        };
        PreferPinned(info, pins.TypesOf(hop.Host, hop.Port));
        var client = new SshClient(info) { KeepAliveInterval = options.KeepAlive };
        way.Add(client, key);

        ContactLostException? refusal = null;
        client.HostKeyReceived += (_, shown) =>
        {
            refusal = SshFailure.OfHostKey(hop, pins.Judge(hop.Host, hop.Port, shown.HostKey), shown.HostKeyName, shown.FingerPrintSHA256);
            shown.CanTrust = refusal is null;
        };
        using var late = new CancellationTokenSource(options.ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        try
        {
            // Parts of a login block; they must not hold up the caller.
            await Task.Run(() => client.ConnectAsync(either.Token), either.Token);
        }
        catch (Exception error) when (!ct.IsCancellationRequested)
        {
            throw refusal ?? SshFailure.Of(hop, error);
        }
    }

    // A host with several keys shows the first type that it is asked for; one that is not pinned would be refused for nothing.
    private static void PreferPinned(ConnectionInfo info, IReadOnlySet<string> types)
    {
        var algorithms = info.HostKeyAlgorithms;
        foreach (var name in algorithms.Keys.ToArray())
        {
            // Certificates are not supported here, and signatures by SHA-1 (ssh-rsa) are no longer safe.
            if (name.Contains("-cert-", StringComparison.Ordinal) || name == "ssh-rsa") algorithms.Remove(name);
            else if (!types.Contains(TypeOf(name))) algorithms.SetPosition(name, algorithms.Count - 1);
        }
    }

    private static string TypeOf(string algorithm) => algorithm.StartsWith("rsa-sha2-", StringComparison.Ordinal) ? "ssh-rsa" : algorithm;
}
