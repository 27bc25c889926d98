using System.Globalization;
using System.Text.RegularExpressions;
using CsCheck;
using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Tests.V1Alpha1;

public sealed class QuantityTests
{
    [Theory]
    [InlineData("4", 4)]
    [InlineData("500m", 0.5)]
    [InlineData("1.5", 1.5)]
    [InlineData(".5", 0.5)]
    [InlineData("1.", 1)]
    [InlineData("64Gi", 68719476736)]
    [InlineData("2T", 2e12)]
    [InlineData("1e3", 1000)]
    [InlineData("5E-1", 0.5)]
    [InlineData("1E", 1e18)]
    [InlineData("100n", 1e-7)]
    public void Quantities_of_Kubernetes_are_read(string text, double value) => Quantity.Parse(text).ShouldBe((decimal)value);

    [Theory]
    [InlineData("")]
    [InlineData("Gi")]
    [InlineData("-1")]
    [InlineData("4 Gi")]
    [InlineData("4GB")]
    [InlineData("1e99")]
    [InlineData("99999999999999999999Ei")]
    public void Anything_else_gets_a_sentence(string text) =>
        Should.Throw<FormatException>(() => Quantity.Parse(text)).Message.ShouldBe($"a quantity is a number with an optional unit, e.g. 4, 500m or 64Gi; got '{text}'");

    [Theory]
    [InlineData("1", 1)]
    [InlineData("1500m", 2)]
    [InlineData("1n", 1)]
    public void Whole_units_are_rounded_up(string text, long whole) => Quantity.ParseWhole(text).ShouldBe(whole);

    [Fact]
    public void A_unit_multiplies() =>
        Gen.Select(Gen.Int[0, 1_000_000], Gen.OneOf(("k", 1000m), ("M", 1e6m), ("Ki", 1024m), ("Mi", 1048576m), ("m", 0.001m))).Sample((number, unit) =>
            Quantity.Parse(number.ToString(CultureInfo.InvariantCulture) + unit.Item1) == number * unit.Item2);

    // Beyond that, the reader refuses what is too large to count and the schema does not.
    [Fact]
    public void What_is_read_is_what_the_schema_takes() =>
        Gen.String[Gen.OneOf("019.eE+-mkMGTPinux ".ToCharArray()), 0, 8].Sample(text =>
        {
            if (Quantity.TryParse(text, out var value))
            {
                value.ShouldBeGreaterThanOrEqualTo(0);
                Regex.IsMatch(text, Quantity.Pattern, RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking).ShouldBeTrue(text);
            }
        });
}
