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
    public async Task An_unknown_argument_is_exit_code_2() =>
        (await Command.RunAsync(RepositoryFiles.Path("quickstart.sh"), ["--bogus"])).ShouldExit(2).Error.ShouldContain("--bogus");
}
