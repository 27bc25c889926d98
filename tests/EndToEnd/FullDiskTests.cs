using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>The state directory on a file system of its own that runs full.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task A_full_disk_is_named_and_nothing_is_lost()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting a small file system needs root");
        using var directory = new TemporaryDirectory();
        var mounted = directory["small"];
        Directory.CreateDirectory(mounted);
        (await Command.RunAsync("mount", ["-t", "tmpfs", "-o", "size=96m", "tmpfs", mounted])).ShouldExit(0);
        try
        {
            await using var plane = await LocalPlane.StartAsync(nodes: 1, state: Path.Combine(mounted, "state"));
            var first = plane.Files.Write("first.yaml", Job("first"));
            (await plane.TrestleAsync("launch", first)).ShouldExit(0);
            await plane.PhaseAsync("trainingjobs", "first", ["Succeeded"]);

            var ballast = Path.Combine(mounted, "ballast");
            Fill(ballast);
            var refused = await plane.TrestleAsync("launch", plane.Files.Write("second.yaml", Job("second", new string('x', 40_000))));
            refused.ShouldExit(1);
            refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(1, refused.ToString());
            refused.Error.ShouldContain("space", Case.Insensitive);
            (await plane.TrainingJobAsync("second")).ShouldBeNull();

            File.Delete(ballast);
            await plane.UntilAsync("jobs are taken again", async () => (await plane.TrestleAsync("launch", plane.Files["second.yaml"])).ExitCode == 0);
            await plane.PhaseAsync("trainingjobs", "second", ["Succeeded"]);
            ((string?)(await plane.TrainingJobAsync("first"))!["status"]!["phase"]).ShouldBe("Succeeded");
        }
        finally
        {
            (await Command.RunAsync("umount", ["-l", mounted])).ShouldExit(0);
        }
    }

    // A short object may fit into what is left of the last block.
    private static string Job(string name, string comment = "") => $$"""
        apiVersion: trestle.dev/v1alpha1
        kind: TrainingJob
        metadata: {name: {{name}}}
        spec: {run: "echo {{name}} # {{comment}}"}
        """;

    private static void Fill(string path)
    {
        // Unbuffered: nothing is left to be written when it is closed.
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[64 * 1024];
        for (var size = block.Length; size > 0; size /= 2)
        {
            try
            {
                while (true) file.Write(block, 0, size);
            }
            catch (IOException)
            {
                // Full for blocks of this size; smaller ones may still fit.
            }
        }
    }
}
