using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>Real torchrun (PyTorch, gloo) on four virtual nodes by the published example.</summary>
public sealed class TorchrunTests(FourNodes nodes) : IClassFixture<FourNodes>
{
    private LocalPlane Plane => nodes.Plane;

    [Fact]
    public async Task It_trains_loses_a_node_and_goes_on_from_its_checkpoint()
    {
        (await Plane.KubectlAsync("create", "configmap", "train-eval", $"--from-file={RepositoryFiles.Path("examples", "train-eval")}")).ShouldExit(0);
        // So many CPUs that every rank needs a node of its own.
        var file = Plane.Files.Write("torchrun.yaml", RepositoryFiles.Read("examples", "trestle", "torchrun.yaml").Replace("accelerators: H100:1", "accelerators: H100:1\n    cpus: \"100\"", StringComparison.Ordinal));
        (await Plane.TrestleAsync("launch", file)).ShouldExit(0);
        var store = Path.Combine(Plane.Objects, "default", "torch-ckpts");
        await Plane.UntilAsync("there is a checkpoint", () => Task.FromResult(Directory.Exists(store) && Directory.EnumerateFiles(store, "step-*.pt").Any()), TimeSpan.FromSeconds(120));

        (await Plane.TrestleAsync("local", "node", "fail", "node-3", "--state", Plane.State)).ShouldExit(0);
        await Plane.UntilAsync("the job restarts", async () => (string?)(await JobAsync())["status"]!["phase"] is "Restarting" or "Queued");
        (await Plane.TrestleAsync("local", "node", "restore", "node-3", "--state", Plane.State)).ShouldExit(0);

        var ended = await Plane.PhaseAsync("trainingjobs", "torchrun", ["Succeeded", "Failed"], TimeSpan.FromSeconds(180));
        ((string?)ended["status"]!["phase"]).ShouldBe("Succeeded", await Plane.ExplainAsync());
        ((int)ended["status"]!["attempt"]!).ShouldBeGreaterThan(1);
        ((int)JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(store, "final.json"), TestContext.Current.CancellationToken))!["step"]!).ShouldBe(200);
        var logs = (await Plane.TrestleAsync("logs", "torchrun", "--rank", "0")).ShouldExit(0).Out;
        logs.ShouldContain("resuming from step");
    }

    private async Task<JsonNode> JobAsync() => (await Plane.TrainingJobAsync("torchrun"))!;
}
