using System.Globalization;
using System.Text.RegularExpressions;
using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>The online-RL example as its page says: one command, and the policy that is served gets better.</summary>
public sealed partial class OnlineRlTests : IAsyncLifetime
{
    private LocalPlane? _plane;

    private LocalPlane Plane => _plane ?? throw new InvalidOperationException("the plane has not started");

    public async ValueTask InitializeAsync() => _plane = await LocalPlane.StartAsync(nodes: 2);

    public ValueTask DisposeAsync() => _plane?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task The_trainer_improves_the_policy_that_its_own_services_serve()
    {
        (await Plane.TrestleAsync("launch", RepositoryFiles.Path("examples", "online-rl", "group.yaml"))).ShouldExit(0);
        var versions = new HashSet<string>(StringComparer.Ordinal);
        await Plane.UntilAsync("the group has ended", async () =>
        {
            if ((string?)(await ServiceAsync())?["status"]?["weights"]?["servingVersion"] is { } version) versions.Add(version);
            return (string?)(await Plane.JobGroupAsync("online-rl"))?["status"]?["phase"] is "Succeeded" or "Failed" or "Cancelled";
        }, TimeSpan.FromSeconds(120));

        ((string?)(await Plane.JobGroupAsync("online-rl"))!["status"]!["phase"]).ShouldBe("Succeeded", await Plane.ExplainAsync());
        var log = (await Plane.TrestleAsync("logs", "online-rl-trainer")).ShouldExit(0).Out;
        var rewards = Reward().Matches(log).Select(step => double.Parse(step.Groups["reward"].Value, CultureInfo.InvariantCulture)).ToList();
        rewards[0].ShouldBeLessThan(0.5, log);
        rewards.TakeLast(5).Average().ShouldBeGreaterThan(0.9, log);
        versions.Count.ShouldBeGreaterThan(2, string.Join(' ', versions));
        versions.ShouldContain("default");
        await Plane.UntilAsync("nothing of the service is left", async () => await ServiceAsync() is null
            && (await Plane.ListAsync("api/v1/namespaces/default/pods?labelSelector=trestle.dev/service=online-rl-policy")).Count == 0);
    }

    private Task<System.Text.Json.Nodes.JsonNode?> ServiceAsync() => Plane.GetAsync("apis/trestle.dev/v1alpha1/namespaces/default/inferenceservices/online-rl-policy");

    [GeneratedRegex("step [0-9]+ reward (?<reward>[0-9.]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Reward();
}
