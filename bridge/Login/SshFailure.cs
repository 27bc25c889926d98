using System.Net.Sockets;
using Renci.SshNet.Common;

namespace Trestle.Bridge.Login;

/// <summary>Says in a sentence why a host could not be logged in to, and what to change. Never repeats what the host said.</summary>
internal static class SshFailure
{
    public static ContactLostException Of(SshHop hop, Exception cause) => new(cause switch
    {
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } =>
            $"the host name {hop.Host} can't be resolved; correct it in spec.ssh, or the name service of the bridge",
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"nothing listens at {hop}; start sshd there or correct spec.ssh",
        SocketException socket => $"{hop} can't be reached ({socket.SocketErrorCode}); check spec.ssh and the network between",
        SshOperationTimeoutException or OperationCanceledException => $"{hop} did not complete a login in time; check spec.ssh, the network between and the load of the host",
        SshAuthenticationException => $"{hop} refused the key of the user {hop.User}; add its public key to the authorized_keys of {hop.User}, or correct the Secret or the user",
        SshConnectionException => $"{hop} hung up before the login was complete; its sshd may have too many connections (MaxStartups) or share no algorithm with the bridge",
        _ => $"the login at {hop} failed ({cause.GetType().Name}); the log of its sshd says more",
    }, cause);

    public static ContactLostException OfKey(string user, Exception cause) =>
        new($"the private key of the user {user} can't be used; put an ed25519, ecdsa or rsa key without a passphrase into the Secret, as ssh-keygen writes it", cause);

    /// <summary>Null when the key is the pinned one.</summary>
    public static ContactLostException? OfHostKey(SshHop hop, HostKeyVerdict verdict, string type, string fingerprint) => verdict switch
    {
        HostKeyVerdict.Known => null,
        HostKeyVerdict.Unknown => new($"known_hosts has no key for {hop}; if its administrator confirms {type} SHA256:{fingerprint}, add the line that `ssh-keyscan -p {hop.Port} {hop.Host}` prints"),
        HostKeyVerdict.Changed => new($"the host key of {hop} is not the one in known_hosts; someone may be in between: ask its administrator, and replace the line only if {type} SHA256:{fingerprint} is confirmed"),
        _ => new($"the host key of {hop} is revoked in known_hosts; the host needs a new key before it can be used"),
    };
}
