using System.Text.Json.Nodes;
using Trestle.Testing;
using SlurmFixture = Trestle.Testing.Slurm.SlurmFixture;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>
/// One world for all cases of a class. Two jobs that come to their time limit, for which Slurm takes over a minute, are on their way
/// from the beginning; on a node of their own, as others are to die.
/// </summary>
public sealed class SharedSlurmWorld : IAsyncDisposable
{
    private const string Wait = "while :; do sleep 0.2; done";
    private SlurmWorld? _world;

    internal async Task<SlurmWorld> OpenAsync(SlurmFixture fixture)
    {
        var slurm = await fixture.HealthyAsync();
        if (_world is not null) return _world;
        var world = _world = await SlurmWorld.OpenAsync(slurm);
        foreach (var ns in new[] { "other", "stranger" })
            await world.Api.CreateAsync("api/v1/namespaces", new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = ns } }, TestContext.Current.CancellationToken);
        await StorageAsync(world, "kept");
        await StorageAsync(world, "empty");
        await SubmitLimitedAsync(world, "saver", "kept", $"[ ! -e $TRESTLE_CHECKPOINT_DIR/step-1 ] || exit 0; trap 'echo 1 >$TRESTLE_CHECKPOINT_DIR/step-1' TERM; {Wait}");
        await SubmitLimitedAsync(world, "idler", "empty", $"trap 'echo 1 >$TRESTLE_CHECKPOINT_DIR/part.tmp' TERM; {Wait}");
        return world;
    }

    public async ValueTask DisposeAsync()
    {
        if (_world is not null) await _world.DisposeAsync();
    }

    /// <summary>A Storage that is a directory of user A's home.</summary>
    internal static async Task StorageAsync(SlurmWorld world, string name)
    {
        (await world.Slurm.RunAsync(world.Slurm.A, $"mkdir -p objects/{name}")).ShouldExit(0);
        await world.Api.CreateAsync("apis/trestle.dev/v1alpha1/namespaces/default/storages", new JsonObject
        {
            ["apiVersion"] = "trestle.dev/v1alpha1",
            ["kind"] = "Storage",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["file"] = new JsonObject { ["path"] = Path.Combine(world.Slurm.A.Home, "objects", name) } },
        }, TestContext.Current.CancellationToken);
    }

    private static Task SubmitLimitedAsync(SlurmWorld world, string name, string storage, string run) => world.SubmitAsync(name, run, spec =>
    {
        spec["nodes"] = 1;
        spec["timeLimit"] = "1m";
        spec["terminationGracePeriod"] = "20s";
        spec["recovery"] = JsonNode.Parse("""{"resumeAtTimeLimit":true}""");
        spec["mounts"] = new JsonArray(new JsonObject { ["path"] = "/checkpoints", ["storage"] = storage, ["mode"] = "MountCached" });
        spec["placement"] = JsonNode.Parse("""[{"slurm":{"cluster":"alps","partition":"cpu"}}]""");
    });
}
