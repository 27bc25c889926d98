using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Trestle.Operator.Launch;

/// <summary>The operator's key: makes and checks the tokens with which ranks ask for their peers. Printing it shows nothing.</summary>
public sealed class RendezvousKey(byte[] secret)
{
    /// <summary>Bytes of a new key.</summary>
    public const int Length = 32;

    /// <summary>A new key.</summary>
    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(Length);

    /// <summary>Token of one rank of one attempt: base64url of HMAC-SHA256.</summary>
    public string Token(string uid, int attempt, int rank) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{uid}/{attempt}/{rank}"))));

    /// <summary>Whether the token is that of the rank; takes the same time however much of it is right.</summary>
    public bool Verify(string? token, string uid, int attempt, int rank) =>
        token is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(Token(uid, attempt, rank)));
}
