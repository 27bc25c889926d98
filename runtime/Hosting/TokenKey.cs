using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Trestle.Runtime;

/// <summary>Makes and checks tokens: base64url of HMAC-SHA256 of what a token is for. Printing it shows nothing.</summary>
/// <param name="secret">At least <see cref="Length"/> bytes.</param>
public sealed class TokenKey(byte[] secret)
{
    /// <summary>How many bytes a key has.</summary>
    public const int Length = 32;

    /// <summary>Bytes for a new key.</summary>
    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(Length);

    /// <summary>Token for a subject.</summary>
    public string Token(string subject) => Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(subject)));

    /// <summary>Whether the token is that of the subject; takes the same time however much of it is right.</summary>
    public bool Verify(string? token, string subject) =>
        token is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(Token(subject)));
}
