using Trestle.Runtime;
using Trestle.Testing;
using Trestle.WeightsGateway.Hosting;

namespace Trestle.WeightsGateway.Tests.Hosting;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("0.0.0.0:8000", "http://0.0.0.0:8000")]
    [InlineData("*:8000", "http://*:8000")]
    [InlineData("[::]:8000", "http://[::]:8000")]
    [InlineData("http://127.0.0.1:0", "http://127.0.0.1:0")]
    public void An_address_needs_no_scheme(string given, string read) => Values("--public", given).ListenAt(Settings.Public).ShouldBe(read);

    [Theory]
    [InlineData("8000")]
    [InlineData("https://127.0.0.1:8000")]
    [InlineData("127.0.0.1:8000/path")]
    public void What_is_no_address_is_refused_by_name(string given) =>
        Should.Throw<SettingException>(() => Values("--public", given).ListenAt(Settings.Public)).Message.ShouldContain("--public");

    [Fact]
    public void A_token_file_is_read_without_the_end_of_its_line()
    {
        using var files = new TemporaryDirectory();
        Values("--token-file", files.Write("token", "secret\n")).Content(Settings.TokenFile).ShouldBe("secret");
        Should.Throw<SettingException>(() => Values("--token-file", files.Write("empty", "\n")).Content(Settings.TokenFile)).Message.ShouldContain("is empty");
        Should.Throw<SettingException>(() => Values("--token-file", files["none"]).Content(Settings.TokenFile)).Message.ShouldContain("can't be read");
    }

    [Fact]
    public void What_must_be_given_is_named() => Should.Throw<SettingException>(() => Values().Needed(Settings.Service)).Message.ShouldContain("--service");

    private static SettingValues Values(params string[] arguments) => SettingValues.Of("weights gateway", Settings.OfGateway, arguments, _ => null);
}
