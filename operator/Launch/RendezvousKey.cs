using System.Globalization;
using Trestle.Runtime;

namespace Trestle.Operator.Launch;

/// <summary>The operator's key: makes and checks the tokens with which ranks ask for their peers. Printing it shows nothing.</summary>
public sealed class RendezvousKey(byte[] secret)
{
    private readonly TokenKey _key = new(secret);

    /// <summary>Token of one rank of one attempt.</summary>
    public string Token(string uid, int attempt, int rank) => _key.Token(Subject(uid, attempt, rank));

    /// <summary>Whether the token is that of the rank.</summary>
    public bool Verify(string? token, string uid, int attempt, int rank) => _key.Verify(token, Subject(uid, attempt, rank));

    private static string Subject(string uid, int attempt, int rank) => string.Create(CultureInfo.InvariantCulture, $"{uid}/{attempt}/{rank}");
}
