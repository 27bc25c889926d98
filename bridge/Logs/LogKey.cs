using Trestle.Runtime;

namespace Trestle.Bridge.Logs;

/// <summary>Makes and checks the tokens with which the logs of one SlurmJob are read. Printing it shows nothing.</summary>
public sealed class LogKey(byte[] secret)
{
    private readonly TokenKey _key = new(secret);

    /// <summary>Token of the SlurmJob with this uid.</summary>
    public string Token(string uid) => _key.Token("logs/" + uid);

    /// <summary>Whether the token is that of the job.</summary>
    public bool Verify(string? token, string uid) => _key.Verify(token, "logs/" + uid);
}
