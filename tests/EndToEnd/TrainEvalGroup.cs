using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>The published job group under a name and a checkpoint store of its own, and what it should end with.</summary>
internal sealed class TrainEvalGroup
{
    public const int Steps = 80;

    private static readonly SemaphoreSlim Once = new(1);
    private static string? reference;
    private readonly LocalPlane plane;
    private readonly string file;

    public TrainEvalGroup(LocalPlane plane, string name)
    {
        this.plane = plane;
        Name = name;
        foreach (var source in Directory.EnumerateFiles(RepositoryFiles.Path("examples", "train-eval")))
        {
            plane.Files.Write($"{name}/train-eval/{Path.GetFileName(source)}", Renamed(File.ReadAllText(source)));
        }

        file = plane.Files.Write($"{name}/skypilot/group.yaml", Renamed(RepositoryFiles.Read("examples", "skypilot", "train-eval-group.yaml")));
    }

    public string Name { get; }

    public string Store => Path.Combine(plane.Objects, $"{Name}-ckpts");

    public string Trainer => $"{Name}-trainer";

    /// <summary>What one process, never disturbed, ends with: the bytes of final.json.</summary>
    public static async Task<string> UndisturbedModelAsync()
    {
        await Once.WaitAsync();
        try
        {
            if (reference is null)
            {
                using var directory = new TemporaryDirectory();
                (await Command.RunAsync("python3", ["-B", RepositoryFiles.Path("examples", "train-eval", "train.py"),
                    "--ckpt_dir", directory.FullName, "--steps", Steps.ToString()])).ShouldExit(0);
                reference = await File.ReadAllTextAsync(directory["final.json"]);
            }

            return reference;
        }
        finally
        {
            Once.Release();
        }
    }

    public async Task LaunchAsync(params string[] more) =>
        (await plane.TrestleAsync(["launch", file, "--env", $"STEPS={Steps}", "--env", "STEP_TIME=0.1", .. more])).ShouldExit(0);

    /// <summary>Waits for the first checkpoint: what comes after is the middle of training.</summary>
    public Task FirstCheckpointAsync() =>
        plane.UntilAsync($"{Name} has a checkpoint", () => Task.FromResult(Directory.Exists(Store) && Directory.EnumerateFiles(Store, "step-*.json").Any()));

    /// <param name="more">What explains a failure besides what the plane knows.</param>
    public async Task<JsonNode> EndAsync(Func<Task<string>>? more = null)
    {
        var group = await plane.PhaseAsync("jobgroups", Name, ["Succeeded", "Failed", "Cancelled"], TimeSpan.FromSeconds(120));
        var phase = (string?)group["status"]!["phase"];
        phase.ShouldBe("Succeeded", phase == "Succeeded" ? null : $"{await plane.ExplainAsync()}\n{(more is null ? "" : await more())}");
        return group;
    }

    public async Task ShouldHoldTheUndisturbedModelAsync() =>
        (await File.ReadAllTextAsync(Path.Combine(Store, "final.json"))).ShouldBe(await UndisturbedModelAsync());

    public async Task<int> TrainerAttemptAsync() => (int)(await plane.TrainingJobAsync(Trainer))!["status"]!["attempt"]!;

    /// <summary>After the end nothing of the group runs, and no pod of it holds an address.</summary>
    public Task ShouldLeaveNothingAsync() =>
        plane.UntilAsync($"nothing of {Name} runs", async () =>
            Processes.Naming(plane.State).All(process => !process.Has("TRESTLE_JOB_GROUP", Name))
            && (await plane.ListAsync($"api/v1/namespaces/default/pods?labelSelector=trestle.dev/job-group={Name}"))
                .All(pod => (string?)pod["status"]?["phase"] is "Succeeded" or "Failed"));

    private string Renamed(string text) => text.Replace("train-eval-group", Name, StringComparison.Ordinal).Replace("shared-ckpts", $"{Name}-ckpts", StringComparison.Ordinal);
}
