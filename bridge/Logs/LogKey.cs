using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Trestle.Bridge.Logs;

/// <summary>Makes and checks the tokens with which the logs of one SlurmJob are read. Printing it shows nothing.</summary>
public sealed class LogKey(byte[] secret)
{
    /// <summary>Bytes of a new key.</summary>
    public const int Length = 32;

    /// <summary>A new key.</summary>
    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(Length);

    /// <summary>Token of the SlurmJob with this uid: base64url of HMAC-SHA256.</summary>
    public string Token(string uid) => Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes("logs/" + uid)));

    /// <summary>Whether the token is that of the job; takes the same time however much of it is right.</summary>
    public bool Verify(string? token, string uid) =>
        token is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(Token(uid)));
}
