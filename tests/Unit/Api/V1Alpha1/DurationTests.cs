using System.Text.RegularExpressions;
using CsCheck;
using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Tests.V1Alpha1;

public sealed class DurationTests
{
    [Theory]
    [InlineData("30s", 30)]
    [InlineData("1h30m", 5400)]
    [InlineData("2d", 172800)]
    [InlineData("0s", 0)]
    [InlineData("500ms", 0.5)]
    [InlineData("1m1m", 120)]
    public void Numbers_with_units_add_up(string text, double seconds) => Duration.Parse(text).ShouldBe(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("-3s")]
    [InlineData("1.5h")]
    [InlineData("1w")]
    [InlineData("1 h")]
    [InlineData("9999999s")]
    public void Anything_else_gets_a_sentence(string text) =>
        Should.Throw<FormatException>(() => Duration.Parse(text)).Message.ShouldBe($"a duration is a number with a unit, e.g. 30s, 10m or 1h30m; got '{text}'");

    [Fact]
    public void What_is_written_reads_back() =>
        Gen.Long[0, 900_000L * 86_400_000].Sample(milliseconds => Duration.Parse(Duration.Format(TimeSpan.FromMilliseconds(milliseconds))) == TimeSpan.FromMilliseconds(milliseconds));

    [Fact]
    public void The_reader_and_the_schema_agree() =>
        Gen.String[Gen.OneOf("019smhdx .-".ToCharArray()), 0, 6].Sample(text =>
            Duration.TryParse(text, out _).ShouldBe(Regex.IsMatch(text, Duration.Pattern, RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking), text));
}
