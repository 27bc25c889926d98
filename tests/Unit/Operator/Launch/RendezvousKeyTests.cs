using CsCheck;
using Trestle.Operator.Launch;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Launch;

public sealed class RendezvousKeyTests
{
    private static readonly RendezvousKey Key = new([1, 2, 3, 4]);

    [Fact]
    public void A_token_opens_its_own_rank_and_no_other() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 3], Gen.Int[0, 3], Gen.Int[1, 3]).Sample((rank, attempt, otherRank, otherAttempt) =>
            Key.Verify(Key.Token("uid", attempt, rank), "uid", otherAttempt, otherRank) == ((rank, attempt) == (otherRank, otherAttempt)));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("not a token")]
    public void Anything_else_opens_nothing(string? token) => Key.Verify(token, "uid", 1, 0).ShouldBeFalse();

    [Fact]
    public void Another_key_makes_other_tokens() =>
        Key.Verify(new RendezvousKey(TokenKey.NewSecret()).Token("uid", 1, 0), "uid", 1, 0).ShouldBeFalse();

    [Fact]
    public void A_token_is_safe_in_a_header() => Key.Token("uid", 1, 0).ShouldMatch("^[A-Za-z0-9_-]{43}$");
}
