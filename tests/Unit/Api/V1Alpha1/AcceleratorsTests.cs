using System.Text.RegularExpressions;
using CsCheck;
using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Tests.V1Alpha1;

public sealed class AcceleratorsTests
{
    [Theory]
    [InlineData("H100:8", "H100", 8)]
    [InlineData("H100", "H100", 1)]
    [InlineData("A100-80GB:2", "A100-80GB", 2)]
    [InlineData("x:9999", "x", 9999)]
    public void NAME_or_NAME_COUNT_is_read(string text, string name, int count) =>
        Accelerators.Parse(text).ShouldBe(new Accelerators(name, count));

    [Theory]
    [InlineData("")]
    [InlineData(":8")]
    [InlineData("H100:")]
    [InlineData("H100:0")]
    [InlineData("H100:-1")]
    [InlineData("H100:08")]
    [InlineData("H100:8:8")]
    [InlineData("H100:0.5")]
    [InlineData("H100:10000")]
    [InlineData("H 100")]
    [InlineData("-H100")]
    [InlineData("H100\n")]
    public void Anything_else_gets_a_sentence_with_an_example(string text) =>
        Should.Throw<FormatException>(() => Accelerators.Parse(text)).Message.ShouldBe($"accelerators must be NAME or NAME:COUNT, e.g. H100:8; got '{text}'");

    [Fact]
    public void What_is_written_reads_back() =>
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 1, Accelerators.MaxNameLength], Gen.Int[1, 9999]).Sample((name, count) =>
            Accelerators.Parse(new Accelerators(name, count).ToString()) == new Accelerators(name, count));

    // A name beyond a label value is refused by the reader alone; the schema bounds the length of the whole.
    [Fact]
    public void The_reader_and_the_schema_agree() =>
        Gen.String[Gen.OneOf("Hh1 0:.-_é".ToCharArray()), 0, 12].Sample(text =>
            Accelerators.TryParse(text, out _, out _).ShouldBe(Regex.IsMatch(text, Accelerators.Pattern, RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking), text));
}
