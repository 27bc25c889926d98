using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.InferenceServices;

public sealed class EngineCommandTests
{
    [Fact]
    public void A_model_of_the_hub_is_served_under_its_last_name_for_the_pod_alone()
    {
        EngineCommand.Program(AService.Named().Build()).ShouldBe(["vllm", "serve"]);
        Line(AService.Named()).ShouldBe("Qwen/Qwen3-8B --served-model-name Qwen3-8B --host 127.0.0.1 --port 8000 --shutdown-timeout 45");
    }

    [Fact]
    public void Everything_of_the_spec_that_the_engine_must_know_is_told_and_the_users_arguments_come_last() => Line(AService.Named().With(spec =>
    {
        spec.Model = new ModelSpec { Uri = "/models/policy", ServedName = "policy", Revision = "main", LoadFormat = "dummy", Dtype = "bfloat16", MaxModelLen = 4096, GpuMemoryUtilization = "0.8" };
        spec.Parallelism = new ParallelismSpec { Tensor = 4, Pipeline = 2, Data = 1, Expert = true };
        spec.Termination = new TerminationSpec { Drain = "1500ms" };
        spec.Engine = new EngineSpec { Args = ["--enforce-eager"] };
    })).ShouldBe(
        "/models/policy --served-model-name policy --host 127.0.0.1 --port 8000 --revision main --load-format dummy --max-model-len 4096 --dtype bfloat16 --gpu-memory-utilization 0.8 "
        + "--tensor-parallel-size 4 --pipeline-parallel-size 2 --data-parallel-size 1 --enable-expert-parallel --shutdown-timeout 2 --enforce-eager");

    [Fact]
    public void A_model_in_a_bucket_is_streamed_unless_the_user_says_how_it_is_loaded()
    {
        Line(AService.Named().With(spec => spec.Model.Uri = "s3://models/policy")).ShouldContain("s3://models/policy --served-model-name policy --host 127.0.0.1 --port 8000 --load-format runai_streamer");
        Line(AService.Named().With(spec => spec.Model = new ModelSpec { Uri = "s3://models/policy", LoadFormat = "auto" })).ShouldContain("--load-format auto");
    }

    [Fact]
    public void Nodes_of_one_replica_meet_at_their_leader_and_workers_have_no_server()
    {
        const string meet = "--nnodes 2 --node-rank {0} --master-addr policy-3-0.policy-nodes --master-port 29501";
        Line(AService.Named().Nodes(2), replica: 3).ShouldContain(string.Format(null, meet, 0));
        var worker = Line(AService.Named().Nodes(2), replica: 3, node: 1);
        worker.ShouldContain(string.Format(null, meet, 1) + " --headless");
        worker.ShouldNotContain("--host");
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(WeightsTransport.Nccl, true)]
    [InlineData(WeightsTransport.Http, false)]
    public void Weights_of_a_trainer_come_by_nccl_unless_another_way_is_asked_for(WeightsTransport? transport, bool nccl) =>
        Line(AService.Named().TrainedBy("trainer", transport)).Contains("""--weight-transfer-config {"backend":"nccl"}""", StringComparison.Ordinal).ShouldBe(nccl);

    [Fact]
    public void Another_program_takes_the_same_arguments()
    {
        var service = AService.Named().With(spec => spec.Engine = new EngineSpec { Command = ["python3", "engine.py"] });
        EngineCommand.Program(service.Build()).ShouldBe(["python3", "engine.py"]);
        Line(service).ShouldStartWith("Qwen/Qwen3-8B --served-model-name Qwen3-8B");
    }

    private static string Line(AService service, int replica = 0, int node = 0) => string.Join(' ', EngineCommand.Arguments(service.Build(), replica, node, "127.0.0.1"));
}
