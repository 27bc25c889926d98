using Trestle.Cli.Launching;
using Trestle.Cli.Tests.Commands;

namespace Trestle.Cli.Tests.Launching;

public sealed class KeyValuesTests
{
    private static readonly CliHost Host = new CapturedHost(variables: new Dictionary<string, string> { ["TOKEN"] = "t" }).Host;

    [Fact]
    public void A_value_may_hold_anything_even_equals_signs() => KeyValues.Env(["ARGS=--lr=1 x"], Host)["ARGS"].ShouldBe("--lr=1 x");

    [Fact]
    public void A_name_alone_takes_the_callers_value() => KeyValues.Env(["TOKEN"], Host)["TOKEN"].ShouldBe("t");

    [Fact]
    public void The_last_value_wins() => KeyValues.Env(["A=1", "A=2"], Host)["A"].ShouldBe("2");
}
