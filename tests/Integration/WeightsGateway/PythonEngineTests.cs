using Trestle.Testing;
using Trestle.Testing.Engine;

namespace Trestle.Integration.Tests.WeightsGateway;

/// <summary>The example's engine has vLLM's routes too.</summary>
public sealed class PythonEngineTests
{
    [Fact]
    public async Task It_answers_as_vLLM_does()
    {
        var port = EngineFarm.FreePort();
        await using var engine = Command.Start("python3", [RepositoryFiles.Path("examples", "online-rl", "engine.py"), "--port", $"{port}"]);
        var server = new Uri($"http://127.0.0.1:{port}");
        using var http = new HttpClient();
        await Condition.UntilAsync("it serves", async () => (await http.GetAsync(new Uri(server, "/health"))).IsSuccessStatusCode, explain: () => Task.FromResult(engine.Error));
        await using var trainer = new StandInTrainer(server);
        (await RouteContract.DifferencesAsync(server, route => route == "/update_weights" ? trainer.SendAsync(new System.Text.Json.Nodes.JsonArray()) : trainer.InitAsync(), withOptional: false)).ShouldBeEmpty();

        engine.Signal("TERM");
        (await engine.EndAsync()).ShouldExit(0);
    }
}
