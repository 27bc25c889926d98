using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>spec.elastic with a node that is lost and does not come back.</summary>
public sealed class ElasticTests : IAsyncLifetime
{
    private LocalPlane? _plane;

    private LocalPlane Plane => _plane ?? throw new InvalidOperationException("the plane has not started");

    public async ValueTask InitializeAsync() => _plane = await LocalPlane.StartAsync(nodes: 2);

    public ValueTask DisposeAsync() => _plane?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task A_job_that_loses_a_node_goes_on_with_those_that_are_left()
    {
        // So many CPUs that every rank needs a node of its own.
        var file = Plane.Files.Write("shrinks.yaml", """
            apiVersion: trestle.dev/v1alpha1
            kind: TrainingJob
            metadata: {name: shrinks}
            spec:
              nodes: 2
              resources: {cpus: "100"}
              elastic: {minNodes: 1}
              run: |
                [ "$TRESTLE_ATTEMPT" = 1 ] || { echo "rank $TRESTLE_NODE_RANK of $TRESTLE_NUM_NODES"; exit 0; }
                exec sleep 600
            """);
        (await Plane.KubectlAsync("create", "-f", file)).ShouldExit(0);
        await Plane.PhaseAsync("trainingjobs", "shrinks", ["Running"]);
        (await Plane.TrestleAsync("local", "node", "fail", "node-1", "--state", Plane.State)).ShouldExit(0);
        var status = (await Plane.PhaseAsync("trainingjobs", "shrinks", ["Succeeded", "Failed"], TimeSpan.FromSeconds(180)))["status"]!;
        ((string?)status["phase"], (int)status["attempt"]!, (int)status["nodes"]!["desired"]!).ShouldBe(("Succeeded", 2, 1), await Plane.ExplainAsync());
        ((int?)status["restarts"]!["counted"], (int?)status["restarts"]!["infrastructure"]).ShouldBe((null, 1));
        (await Plane.TrestleAsync("logs", "shrinks", "--rank", "0")).ShouldExit(0).Out.ShouldContain("rank 0 of 1");
        (await Plane.TrestleAsync("local", "node", "restore", "node-1", "--state", Plane.State)).ShouldExit(0);
    }
}
