using System.Text.Json.Nodes;
using Trestle.Api.V1Alpha1;
using Trestle.WeightsGateway.Board;

namespace Trestle.WeightsGateway.Tests.Board;

public sealed class KubernetesBoardTests
{
    [Fact]
    public void A_patch_holds_the_gateways_fields_alone_and_takes_away_what_is_no_longer_so()
    {
        var patch = KubernetesBoard.StatusPatch(new BoardState(new WeightsStatus { Phase = "Idle", ServingVersion = "7", Epoch = 2 }, [new ReplicaStatus { Name = "policy-0-0", State = "Ready", Restarts = 1 }], 3, 4));
        var status = patch["status"]!.AsObject();
        status.Select(field => field.Key).ShouldBe(["weights", "replicaStatuses", "load"]);
        status["weights"]!["servingVersion"]!.GetValue<string>().ShouldBe("7");
        status["weights"]!.AsObject().ContainsKey("worldSize").ShouldBeTrue();
        status["weights"]!["worldSize"].ShouldBeNull();
        JsonNode.DeepEquals(status["replicaStatuses"], JsonNode.Parse("""[{"name":"policy-0-0","state":"Ready","restarts":1}]""")).ShouldBeTrue();
        JsonNode.DeepEquals(status["load"], JsonNode.Parse("""{"waiting":3,"running":4}""")).ShouldBeTrue();
    }
}
