using System.Globalization;
using System.Text.RegularExpressions;
using Trestle.Testing;
using Trestle.Testing.Engine;

namespace Trestle.Integration.Tests.WeightsGateway;

/// <summary>examples/online-rl with everything as a process: two engines, a filter before each, the gateway, the trainer.</summary>
public sealed partial class OnlineRlExampleTests(SharedGatewayPlane shared) : IClassFixture<SharedGatewayPlane>
{
    private readonly GatewayPlane plane = shared.Plane;

    private const string Service = "policy";

    [Fact]
    public async Task The_policy_learns_and_every_replica_serves_each_version()
    {
        using var files = new TemporaryDirectory();
        var token = files.Write("token", "secret\n");
        string[] addresses = [Address(1), Address(2)];
        var parts = new List<Command>();
        try
        {
            foreach (var address in addresses)
            {
                parts.Add(Command.Start("python3", [RepositoryFiles.Path("examples", "online-rl", "engine.py"), "example/policy", "--served-model-name", "policy", "--host", address, "--port", "8000", "--tensor-parallel-size=1"]));
                parts.Add(GatewayProcess.StartFilter(new Uri($"http://{address}:8000"), address, token));
            }

            await plane.ServiceAsync(Service, addresses.Length);
            for (var ordinal = 0; ordinal < addresses.Length; ordinal++) await plane.PodAsync(Service, ordinal, addresses[ordinal]);
            await using var gateway = await GatewayProcess.StartAsync(plane.Plane.Kubeconfig, Service, token);
            var trained = (await Command.RunAsync("python3", [RepositoryFiles.Path("examples", "online-rl", "trainer.py")], new Dictionary<string, string?>
            {
                ["TRESTLE_POLICY_URL"] = gateway.Public.ToString(),
                ["TRESTLE_POLICY_WEIGHTS_URL"] = gateway.Weights.ToString(),
                ["TRESTLE_POLICY_MODEL"] = "policy",
                ["TRESTLE_POLICY_REPLICAS"] = "2",
                ["STEPS"] = "12",
            })).ShouldExit(0).Out;

            var rewards = Reward().Matches(trained).Select(found => double.Parse(found.Groups["reward"].Value, CultureInfo.InvariantCulture)).ToList();
            rewards.Count.ShouldBe(12);
            rewards[0].ShouldBeLessThan(0.4);
            rewards[^1].ShouldBeGreaterThan(0.8);
            trained.ShouldContain("joined 2 ranks");
            await Condition.UntilAsync("the status says so", async () => (string?)(await plane.WeightsAsync(Service))?["servingVersion"] == "step-12");
            using var http = new HttpClient();
            foreach (var address in addresses) (await http.GetAsync(new Uri($"http://{address}:8080/pause"), TestContext.Current.CancellationToken)).StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound);
        }
        finally
        {
            foreach (var part in parts) await part.DisposeAsync();
        }
    }

    private static string Address(int at) => string.Create(CultureInfo.InvariantCulture, $"127.{16 + (Environment.ProcessId % 200)}.250.{at}");

    [GeneratedRegex(@"^step \d+ reward (?<reward>[\d.]+)$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Reward();
}
