using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.EndToEnd.Tests;

/// <summary>The published group with a bucket as its checkpoint store, and the sidecar that fills it killed while it sends.</summary>
public sealed class BucketGroupTests : IAsyncLifetime
{
    private LocalPlane? _plane;
    private FaultyS3? _server;

    private LocalPlane Plane => _plane ?? throw new InvalidOperationException("the plane has not started");

    private FaultyS3 Server => _server ?? throw new InvalidOperationException("the S3 server has not started");

    public async ValueTask InitializeAsync()
    {
        _server = await FaultyS3.StartAsync();
        _plane = await LocalPlane.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_plane is not null) await _plane.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
    }

    [Fact]
    public async Task Every_checkpoint_that_is_listed_reads_back_though_the_sidecar_is_killed_twice_in_the_middle_of_one()
    {
        var group = new TrainEvalGroup(Plane, "bucket");
        await BucketObjects.MakeAsync(Plane, Server, "bucket-ckpts");
        var killed = new HashSet<string>(StringComparer.Ordinal);
        Server.Delay = call =>
        {
            if (call.Kind == "put" && call.Key is "step-000020.json" or "step-000060.json" && killed.Add(call.Key)) KillSidecar("bucket-trainer-0-a1");
            return Task.CompletedTask;
        };
        // Slowly, so that an evaluation of its first checkpoint has its time before the end sweeps it.
        await group.LaunchAsync("--env", "STEP_TIME=0.3");
        var ended = await group.EndAsync();
        killed.Count.ShouldBe(2);

        // What is listed is there as it was written, and the end of training is that of a run that nobody disturbed.
        BucketObjects.Text(Server, "final.json").ShouldBe(await TrainEvalGroup.UndisturbedModelAsync());
        BucketObjects.ShouldReadBack(Server).ShouldBe(TrainEvalGroup.Steps / 20);

        // The watcher saw checkpoints come, and what it launched read them from the bucket and wrote to it.
        var launched = ended["status"]!["launched"]!.AsArray().Select(job => (string)job!["name"]!).ToList();
        launched.ShouldContain("bucket-eval-000020");
        Server.Objects.Keys.ShouldContain("evals/000020.json");
        (await group.TrainerAttemptAsync()).ShouldBe(1);
        var checkpoint = (await Plane.TrainingJobAsync(group.Trainer))!["status"]!["checkpoint"]!;
        ((string?)checkpoint["latest"], (long?)checkpoint["pendingBytes"]).ShouldBe(("step-000080.json", 0L));
        await group.ShouldLeaveNothingAsync();
    }

    private void KillSidecar(string pod)
    {
        foreach (var process in Processes.Naming(Plane.State).Where(process => process.CommandLine.Contains("cachemount", StringComparison.Ordinal) && process.CommandLine.Contains(pod, StringComparison.Ordinal))) Processes.Signal(process.Id, "KILL");
    }
}
