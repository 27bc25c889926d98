using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Trestle.WeightsGateway.Serving;

/// <summary>What a request must send as Authorization: Bearer KEY. How long a comparison takes says nothing of the key.</summary>
/// <param name="key">The key.</param>
internal sealed class BearerKey(string key)
{
    private const string Scheme = "Bearer ";
    private readonly byte[] _hash = Hash(key);

    /// <summary>Whether the request has it.</summary>
    public bool IsIn(HttpContext context) => context.Request.Headers.Authorization is [{ } header]
        && header.StartsWith(Scheme, StringComparison.Ordinal)
        && CryptographicOperations.FixedTimeEquals(Hash(header[Scheme.Length..].Trim()), _hash);

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
