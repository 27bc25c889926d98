using System.Text.RegularExpressions;
using Trestle.Testing;

namespace Trestle.EndToEnd.Tests;

/// <summary>./quickstart.sh as a newcomer runs it.</summary>
public sealed class QuickstartTests
{
    [Fact]
    public async Task It_runs_the_published_group_and_leaves_nothing()
    {
        using var temporary = new TemporaryDirectory();
        var run = await Command.RunAsync(RepositoryFiles.Path("quickstart.sh"), [],
            new Dictionary<string, string?> { ["TMPDIR"] = temporary.FullName }, TimeSpan.FromMinutes(6));
        run.ShouldExit(0);
        run.Out.ShouldContain("steps trained: 160");
        run.Out.ShouldContain("group train-eval-group: Succeeded");
        run.Out.ShouldContain("step 160/160");
        run.Out.ShouldContain("score 0.");
        Processes.Naming(temporary.FullName).ShouldBeEmpty();
        // The compiler has left things of its own there.
        Directory.EnumerateFileSystemEntries(temporary.FullName, "trestle-*").ShouldBeEmpty();
    }

    [Fact]
    public async Task With_slurm_the_trainer_runs_there_and_all_else_on_the_virtual_nodes_and_the_model_is_the_same()
    {
        SlurmParts.Need();
        using var temporary = new TemporaryDirectory();
        // Slurm's parts are other users.
        File.SetUnixFileMode(temporary.FullName, File.GetUnixFileMode(temporary.FullName) | UnixFileMode.OtherExecute);
        var run = await Command.RunAsync(RepositoryFiles.Path("quickstart.sh"), ["--slurm"],
            new Dictionary<string, string?> { ["TMPDIR"] = temporary.FullName }, TimeSpan.FromMinutes(6));
        run.ShouldExit(0);
        run.Out.ShouldMatch(@"task trainer +Primary +Succeeded +slurm/slurm job \d+ on gpu1 gpu2 gpu3 gpu4\n");
        run.Out.ShouldMatch(@"task eval-watcher +Auxiliary +Cancelled +kubernetes on node-\d\n");
        run.Out.ShouldMatch(@"train-eval-group-eval-000020 +Succeeded +score 0\.\d+ +kubernetes on node-\d\n");
        run.Out.ShouldContain("[trainer-0] [0] step 160/160");
        var model = Regex.Match(RepositoryFiles.Read("README.md"), "final model: ([0-9a-f]{64})").Groups[1].Value;
        run.Out.ShouldContain($"final model: {model}");
        Processes.Naming(temporary.FullName).ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(temporary.FullName, "trestle-*").ShouldBeEmpty();
    }

    [Fact]
    public async Task An_unknown_argument_is_exit_code_2() =>
        (await Command.RunAsync(RepositoryFiles.Path("quickstart.sh"), ["--bogus"])).ShouldExit(2).Error.ShouldContain("--bogus");
}
