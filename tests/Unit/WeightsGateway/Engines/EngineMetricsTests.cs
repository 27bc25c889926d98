using Trestle.WeightsGateway.Engines;

namespace Trestle.WeightsGateway.Tests.Engines;

public sealed class EngineMetricsTests
{
    [Fact]
    public void Series_of_all_engines_of_a_server_are_added_up() => EngineMetrics.Read("""
        # HELP vllm:num_requests_running Number of requests in model execution batches.
        # TYPE vllm:num_requests_running gauge
        vllm:num_requests_running{engine="0",model_name="m"} 3.0
        vllm:num_requests_running{engine="1",model_name="m"} 2.0
        vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
        vllm:num_requests_waiting_by_reason{engine="0"} 50.0
        vllm:generation_tokens_total{engine="0",model_name="a b"} 1.5e+06
        """).ShouldBe(new EngineLoad(5, 1, 1_500_000));

    [Theory]
    [InlineData("")]
    [InlineData("vllm:num_requests_running")]
    [InlineData("vllm:num_requests_running{ NaN")]
    [InlineData("<html>502</html>")]
    public void What_can_not_be_read_counts_nothing(string page) => EngineMetrics.Read(page).ShouldBe(new EngineLoad(0, 0, 0));
}
