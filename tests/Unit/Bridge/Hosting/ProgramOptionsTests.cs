using Trestle.Bridge.Hosting;
using Trestle.Runtime;

namespace Trestle.Bridge.Tests.Hosting;

public sealed class ProgramOptionsTests
{
    [Fact]
    public void A_flag_wins_over_a_variable_and_a_variable_over_the_default()
    {
        var options = ProgramOptions.Read(["--lease-seconds", "5", "--log-format=json"], name => name switch { "TRESTLE_LEASE_SECONDS" => "7", "TRESTLE_NAMESPACE" => "own", _ => null });
        (options.Bridge.LeaseSeconds, options.Bridge.Namespace, options.LogFormat, options.HealthListen).ShouldBe((5, "own", LogFormat.Json, "http://*:8081"));
    }

    [Theory]
    [InlineData("--lease-seconds=2", "TRESTLE_LEASE_SECONDS (--lease-seconds) must be a whole number from 3 to 300; got '2'")]
    [InlineData("--logs-listen=https://x", "TRESTLE_LOGS_LISTEN (--logs-listen) must be an address to listen on, e.g. http://*:8092; got 'https://x'")]
    [InlineData("--wat=1", "--wat is no flag of the bridge; --help lists them")]
    [InlineData("--namespace", "--namespace needs a value behind it")]
    [InlineData("--log-level=7x", "TRESTLE_LOG_LEVEL (--log-level) must be one of Trace, Debug, Information, Warning, Error, Critical, None; got '7x'")]
    [InlineData("--login=telnet", "TRESTLE_LOGIN (--login) must be one of Ssh, Local; got 'telnet'")]
    [InlineData("--kubeconfig=/not/there", "TRESTLE_KUBECONFIG (--kubeconfig) names /not/there, which is no file; give the path of a kubeconfig or leave it out")]
    public void A_setting_that_can_not_be_used_is_named(string flag, string message) =>
        Should.Throw<SettingException>(() => ProgramOptions.Read([flag], _ => null)).Message.ShouldBe(message);

    [Fact]
    public void A_fail_point_must_be_one_that_there_is() =>
        Should.Throw<SettingException>(() => FailPoint.Of(_ => "nowhere:3")).Message.ShouldStartWith("TRESTLE_FAIL_AT must be one of finalizer.adding,");

    [Fact]
    public async Task Help_names_every_setting()
    {
        await using var text = new StringWriter();
        (await Program.Service.RunAsync(["--help"], _ => null, text, text, TestContext.Current.CancellationToken)).ShouldBe(0);
        text.ToString().ShouldContain("--logs-listen");
        text.ToString().ShouldContain("TRESTLE_LEASE_SECONDS");
    }
}
