namespace Trestle.Integration.Tests.Launch;

/// <summary>The end of launch.sh where sidecars bring what run wrote to its storage.</summary>
public sealed class FlushedMountsTests
{
    private static readonly (string, string) Both = ("TRESTLE_FLUSHED_MOUNTS", "0 2");

    [Theory]
    [InlineData("dash")]
    [InlineData("bash")]
    public async Task What_has_gone_well_ends_when_all_of_it_is_stored(string shell)
    {
        using var root = new LaunchRoot("echo done");
        await using var script = root.Start(shell, Both);
        await root.UntilThereAsync("run/flush-0");
        await root.UntilThereAsync("run/flush-2");
        root.Write("run/flushed-2", "");
        script.HasExited.ShouldBeFalse();
        root.Write("run/flushed-0", "");
        (await script.EndAsync(TimeSpan.FromSeconds(20))).ShouldExit(0).Out.ShouldBe("done\n");
        root.TerminationMessage.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_could_not_be_stored_is_a_failure_with_the_reason()
    {
        using var root = new LaunchRoot("true");
        root.Write("run/flushed-0", "1 files can't be stored, e.g. a: its name is not UTF-8\n");
        root.Write("run/flushed-2", "");
        (await root.RunAsync("dash", Both)).ShouldExit(74).Error.ShouldContain("its name is not UTF-8");
        root.TerminationMessage.ShouldBe("trestle: not all that was written is in its storage: 1 files can't be stored, e.g. a: its name is not UTF-8\n");
    }

    [Fact]
    public async Task What_has_failed_is_told_at_once()
    {
        using var root = new LaunchRoot("exit 3");
        (await root.RunAsync("dash", Both)).ShouldExit(3);
        File.Exists(root["run/flush-0"]).ShouldBeFalse();
    }
}
