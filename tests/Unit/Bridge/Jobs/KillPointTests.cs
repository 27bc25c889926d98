using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Tests.Fakes;
using Trestle.Runtime;

namespace Trestle.Bridge.Tests.Jobs;

public sealed class KillPointTests
{
    private const int Jobs = 200;

    [Fact]
    public async Task A_bridge_that_dies_at_every_named_point_of_200_submissions_sends_none_twice_and_loses_none()
    {
        await using var world = await BridgeWorld.StartAsync();
        await world.StopAsync();
        var keys = new List<string>();
        foreach (var (index, point) in FailPoints.Submission.Index())
        {
            while (keys.Count < Jobs * (index + 1) / FailPoints.Submission.Count) keys.Add((await world.SubmitAsync($"job-{keys.Count}")).Spec.JobUid[..8] + "-a1");

            // These are passed once for many jobs.
            await LiveAsync(world, point, point is "submit.taken" or "submit.sending" or "submit.underway" or "submit.answered" ? 1 : 3);
        }

        world.Start();
        await BridgeWorld.UntilAsync(() => Without(world).Length == 0, () => Without(world));
        world.Slurm.Jobs.Select(job => job.Name).ShouldBe(keys, ignoreOrder: true);
        for (var number = 0; number < Jobs; number++) world.Slurm.Jobs.ShouldContain((world.Job($"job-{number}")!.Status!.JobId!, keys[number]));
    }

    private static string Without(BridgeWorld world) => string.Join(
        '\n', Enumerable.Range(0, Jobs).Select(number => world.Job($"job-{number}")!).Where(job => job.Status?.JobId is null).Select(job => $"{job.Metadata.Name}: {job.Status?.Reason} {job.Status?.Message}"));

    // Runs a bridge until it has come to the point so many times, and kills it there.
    private static async Task LiveAsync(BridgeWorld world, string point, int times)
    {
        var life = new Life(world.Api, world.Slurm);
        var died = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var passed = 0;
        var fail = new FailPoints(name =>
        {
            if (name != point || Interlocked.Increment(ref passed) < times) return;
            died.TrySetResult();
            life.Die();
        });
        using var end = new CancellationTokenSource();
        var running = BridgeHost.RunAsync(life, new BridgeOptions { LeaseSeconds = 3 }, life, NullLoggerFactory.Instance, TimeProvider.System, new BridgeHealth(), fail, end.Token);
        await died.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        await end.CancelAsync();
        await running;

        // As if its lease had run out: the dead one can't harm, and the next need not wait.
        await world.Api.DeleteAsync<V1Lease>(new ObjectKey("trestle-system", "trestle-bridge-" + BridgeWorld.Cluster), Deletion.Default, TestContext.Current.CancellationToken);
    }
}
