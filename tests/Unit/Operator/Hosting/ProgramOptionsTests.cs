using Microsoft.Extensions.Logging;
using Trestle.Operator.Hosting;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Hosting;

public sealed class ProgramOptionsTests
{
    private const string Url = "--rendezvous-url=http://trestle.trestle-system.svc:8090";

    [Fact]
    public void What_is_left_out_has_a_default()
    {
        var options = Read([Url]);
        options.HealthListen.ShouldBe("http://*:8081");
        (options.LogLevel, options.LogFormat).ShouldBe((LogLevel.Information, LogFormat.Text));
        options.Operator.ShouldBe(new OperatorOptions { RendezvousListen = "http://*:8090", RendezvousUrl = "http://trestle.trestle-system.svc:8090" });
    }

    [Fact]
    public void A_flag_wins_over_the_variable_and_an_empty_variable_is_none()
    {
        var options = Read([Url, "--namespace", "flagged"], ("TRESTLE_NAMESPACE", "named"), ("TRESTLE_NODE_IMAGE", "example/node:1"), ("TRESTLE_DEFAULT_IMAGE", " "), ("TRESTLE_LEASE_SECONDS", "30"));
        (options.Operator.Namespace, options.Operator.NodeImage, options.Operator.DefaultImage, options.Operator.LeaseSeconds).ShouldBe(("flagged", "example/node:1", null, 30));
    }

    [Theory]
    [InlineData("--namespace=Team_A", "TRESTLE_NAMESPACE (--namespace) must be a name of at most 63 lower-case letters, digits and '-'; got 'Team_A'")]
    [InlineData("--rendezvous-listen=8090", "TRESTLE_RENDEZVOUS_LISTEN (--rendezvous-listen) must be an address to listen on, e.g. http://*:8090; got '8090'")]
    [InlineData("--rendezvous-listen=https://*:8090", "TRESTLE_RENDEZVOUS_LISTEN (--rendezvous-listen) must be an address to listen on, e.g. http://*:8090; got 'https://*:8090'")]
    [InlineData("--health-listen=http://*:99999", "TRESTLE_HEALTH_LISTEN (--health-listen) must be an address to listen on, e.g. http://*:8081; got 'http://*:99999'")]
    [InlineData("--starvation-timeout=soon", "TRESTLE_STARVATION_TIMEOUT (--starvation-timeout) must be a duration such as 90s, 10m or 1h; got 'soon'")]
    [InlineData("--leader-election=yes", "TRESTLE_LEADER_ELECTION (--leader-election) must be true or false; got 'yes'")]
    [InlineData("--lease-seconds=2", "TRESTLE_LEASE_SECONDS (--lease-seconds) must be a whole number from 3 to 300; got '2'")]
    [InlineData("--log-level=loud", "TRESTLE_LOG_LEVEL (--log-level) must be one of Trace, Debug, Information, Warning, Error, Critical, None; got 'loud'")]
    [InlineData("--default-storage-root=data", "TRESTLE_DEFAULT_STORAGE_ROOT (--default-storage-root) must be an absolute path; got 'data'")]
    [InlineData("--node-image=a b", "TRESTLE_NODE_IMAGE (--node-image) must be an image without spaces, e.g. example/node:1.0; got 'a b'")]
    [InlineData("--kubeconfig=/nowhere/config", "TRESTLE_KUBECONFIG (--kubeconfig) names /nowhere/config, which is no file; give the path of a kubeconfig or leave it out")]
    [InlineData("--speed=9", "--speed is no flag of the operator; --help lists them")]
    [InlineData("--log-level", "--log-level needs a value behind it")]
    public void What_it_can_not_use_is_named_with_what_to_write_instead(string argument, string message) =>
        Should.Throw<SettingException>(() => Read([Url, argument])).Message.ShouldBe(message);

    [Fact]
    public void Listening_everywhere_needs_the_address_that_pods_reach() =>
        Should.Throw<SettingException>(() => Read([])).Message.ShouldBe(
            "TRESTLE_RENDEZVOUS_URL (--rendezvous-url) must be set to the address at which pods reach http://*:8090, e.g. http://trestle.trestle-system.svc:8090");

    [Fact]
    public void A_flag_is_given_once() =>
        Should.Throw<SettingException>(() => Read([Url, Url])).Message.ShouldBe("--rendezvous-url is given twice; give it once");

    [Fact]
    public async Task Help_names_every_setting_both_ways_and_wrong_settings_end_with_2()
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        (await Program.Service.RunAsync(["--help"], _ => null, output, errors, TestContext.Current.CancellationToken)).ShouldBe(0);
        foreach (var setting in Settings.All) output.ToString().ShouldSatisfyAllConditions(help => help.ShouldContain(setting.Flag), help => help.ShouldContain(setting.Variable));
        (await Program.Service.RunAsync(["--lease-seconds=0"], _ => null, output, errors, TestContext.Current.CancellationToken)).ShouldBe(2);
        errors.ToString().ShouldStartWith("trestle operator: TRESTLE_LEASE_SECONDS (--lease-seconds) must be");
    }

    private static ProgramOptions Read(string[] arguments, params (string Name, string Value)[] variables) =>
        ProgramOptions.Read(arguments, name => variables.FirstOrDefault(variable => variable.Name == name).Value);
}
