using Trestle.Testing;

namespace Trestle.Integration.Tests.Examples;

/// <summary>The example's eval watcher with a stand-in for the command that launches jobs.</summary>
public sealed class EvalWatcherTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public EvalWatcherTests()
    {
        directory.Write("bin/trestle", $$"""
            #!/bin/sh
            cd '{{directory.FullName}}'
            case $1 in
            launch)
                echo "$4" >>calls
                if [ -e away ]; then echo "trestle: can't reach the Kubernetes API" >&2; exit 1; fi
                if [ -e "job-$4" ]; then echo "trestle: $4 exists" >&2; exit 1; fi
                touch "job-$4" ;;
            describe) if [ -e away ]; then exit 1; fi; [ -e "job-$2" ] || exit 3 ;;
            esac
            """);
        File.SetUnixFileMode(directory["bin/trestle"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        directory.Write("ckpts/step-000020.json", "{}");
    }

    [Fact]
    public async Task It_launches_one_job_for_every_checkpoint_even_after_its_own_restart()
    {
        await using (var first = Watch())
        {
            await Condition.UntilAsync("the first is launched", () => File.Exists(directory["job-g-eval-000020"]));
            directory.Write("ckpts/step-000040.json", "{}");
            await Condition.UntilAsync("the second is launched", () => first.Out.Contains("launched g-eval-000040", StringComparison.Ordinal));
            first.Signal("KILL");
            await first.EndAsync();
        }

        await using var second = Watch();
        await Condition.UntilAsync("it knows both", () => second.Out.Contains("g-eval-000040 is there already", StringComparison.Ordinal));
        directory.Write("ckpts/.step-000060.json.7.tmp", "{");
        directory.Write("ckpts/evals/000060.json", "{}");
        directory.Write("ckpts/step-000060.json", "{}");
        second.Signal("TERM");
        (await second.EndAsync()).ShouldExit(0).Out.ShouldContain("stopped");
        Directory.EnumerateFiles(directory.FullName, "job-*").Count().ShouldBe(2);
    }

    [Fact]
    public async Task It_tries_again_while_the_API_is_away()
    {
        directory.Write("away", "");
        await using var watch = Watch();
        await Condition.UntilAsync("it says so", () => watch.Out.Contains("trying again: trestle: can't reach", StringComparison.Ordinal));
        File.Delete(directory["away"]);
        await Condition.UntilAsync("it is launched", () => watch.Out.Contains("launched g-eval-000020", StringComparison.Ordinal));
    }

    public void Dispose() => directory.Dispose();

    private Command Watch() =>
        Command.Start("python3", ["-B", RepositoryFiles.Path("examples", "train-eval", "watch_and_launch_eval.py"), "--ckpt_dir", directory["ckpts"], "--every", "0.1"],
            new Dictionary<string, string?> { ["PATH"] = $"{directory["bin"]}:{Environment.GetEnvironmentVariable("PATH")}", ["TRESTLE_JOB_GROUP"] = "g" });
}
