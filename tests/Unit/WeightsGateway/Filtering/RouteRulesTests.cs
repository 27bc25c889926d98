using Trestle.WeightsGateway.Filtering;

namespace Trestle.WeightsGateway.Tests.Filtering;

public sealed class RouteRulesTests
{
    [Theory]
    [InlineData("/v1/completions")]
    [InlineData("/v1/chat/completions?x=/pause")]
    [InlineData("/v1/models")]
    [InlineData("/health")]
    [InlineData("/metrics")]
    [InlineData("/tokenize")]
    public void Clients_may_ask_for(string target) => RouteRules.IsPublic(target).ShouldBeTrue();

    [Theory]
    [InlineData("/pause")]
    [InlineData("//pause")]
    [InlineData("/PAUSE")]
    [InlineData("/v1/../pause")]
    [InlineData("/v1/./../pause")]
    [InlineData("/v1/%2e%2e/pause")]
    [InlineData("/v1/..%2fpause")]
    [InlineData("/%70ause")]
    [InlineData("/v1//..//pause")]
    [InlineData("/v1\\..\\pause")]
    [InlineData("/v1/..;/pause")]
    [InlineData("http://engine/pause")]
    [InlineData("http://engine/v1/models")]
    [InlineData("*")]
    [InlineData("/v1")]
    [InlineData("/v1/")]
    [InlineData("/v1x/models")]
    [InlineData("/health/../resume")]
    [InlineData("/health/")]
    [InlineData("/v1/load_lora_adapter")]
    [InlineData("/collective_rpc")]
    [InlineData("/update_weights")]
    [InlineData("/get_world_size")]
    [InlineData("")]
    [InlineData("/")]
    public void Clients_may_not_ask_for(string target) => RouteRules.IsPublic(target).ShouldBeFalse();

    [Theory]
    [InlineData("/pause?mode=keep", true)]
    [InlineData("/update_weights", true)]
    [InlineData("/v1/completions", false)]
    [InlineData("//pause", false)]
    [InlineData("/pause/../shutdown", false)]
    public void The_gateway_may_ask_for(string target, bool may) => RouteRules.IsControl(target).ShouldBe(may);
}
