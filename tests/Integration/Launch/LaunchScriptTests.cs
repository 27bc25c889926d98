using Trestle.Testing;

namespace Trestle.Integration.Tests.Launch;

public sealed class LaunchScriptTests
{
    [Theory]
    [InlineData("dash", "exit 0", 0)]
    [InlineData("dash", "exit 7", 7)]
    [InlineData("dash", "not-a-command", 127)]
    [InlineData("dash", "kill -KILL $$", 137)]
    [InlineData("bash", "exit 7", 7)]
    [InlineData("bash", "kill -KILL $$", 137)]
    public async Task It_exits_as_the_script_did(string shell, string run, int code)
    {
        using var root = new LaunchRoot(run);
        (await root.RunAsync(shell)).ExitCode.ShouldBe(code);
        root.TerminationMessage.ShouldBeEmpty();
    }

    [Fact]
    public async Task Setup_comes_before_run_and_both_are_in_the_log()
    {
        using var root = new LaunchRoot("echo run", "echo setup; echo warning >&2");
        (await root.RunAsync()).ShouldExit(0).Out.ShouldBe("setup\nwarning\nrun\n");
    }

    [Theory]
    [InlineData("dash")]
    [InlineData("bash")]
    public async Task A_failed_setup_says_so_with_its_last_lines_and_run_never_starts(string shell)
    {
        using var root = new LaunchRoot("echo run", "seq 1 1000; echo no such package >&2; exit 9");
        var result = (await root.RunAsync(shell)).ShouldExit(9);
        result.Out.ShouldContain("no such package");
        result.Out.ShouldNotContain("run");
        var lines = root.TerminationMessage.TrimEnd().Split('\n');
        lines[0].ShouldBe("trestle: setup failed with exit code 9");
        lines[^2..].ShouldBe(["1000", "no such package"]);
        root.TerminationMessage.Length.ShouldBeLessThan(4096);
    }

    [Fact]
    public async Task What_a_failed_setup_left_running_holds_nothing_up()
    {
        using var root = new LaunchRoot("echo run", "sleep 600 & exit 9");
        (await root.RunAsync()).ShouldExit(9);
    }

    [Fact]
    public async Task What_setup_started_in_the_background_goes_on_beside_run()
    {
        using var root = new LaunchRoot("touch ready; until [ -f answer ]; do sleep 0.05; done; cat answer", "(until [ -f ready ]; do sleep 0.05; done; echo served >answer.tmp; mv answer.tmp answer) & true");
        (await root.RunAsync()).ShouldExit(0).Out.ShouldBe("served\n");
    }

    [Theory]
    [InlineData("dash")]
    [InlineData("bash")]
    public async Task Term_reaches_every_process_of_run_and_its_exit_code_is_kept(string shell)
    {
        using var root = new LaunchRoot("""
            python3 -c 'import signal, sys
            signal.signal(signal.SIGTERM, lambda *_: (open("child", "w").close(), sys.exit(0)))
            open("child-ready", "w").close()
            signal.pause()' &
            trap 'wait; touch parent; exit 3' TERM
            touch parent-ready
            wait
            """);
        await using var command = root.Start(shell);
        await root.UntilThereAsync("child-ready");
        await root.UntilThereAsync("parent-ready");
        command.Signal("TERM");
        (await command.EndAsync(TimeSpan.FromSeconds(30))).ShouldExit(3);
        File.Exists(root["child"]).ShouldBeTrue();
        File.Exists(root["parent"]).ShouldBeTrue();
    }

    [Fact]
    public async Task A_script_without_a_handler_ends_by_term()
    {
        using var root = new LaunchRoot("touch ready; exec sleep 600");
        await using var command = root.Start();
        await root.UntilThereAsync("ready");
        command.Signal("TERM");
        (await command.EndAsync(TimeSpan.FromSeconds(30))).ShouldExit(143);
    }

    [Fact]
    public async Task Term_during_setup_is_no_failed_setup_and_run_never_starts()
    {
        using var root = new LaunchRoot("touch run", "trap 'exit 0' TERM; touch ready; sleep 600 & wait");
        await using var command = root.Start();
        await root.UntilThereAsync("ready");
        command.Signal("TERM");
        (await command.EndAsync(TimeSpan.FromSeconds(30))).ShouldExit(143);
        root.TerminationMessage.ShouldBeEmpty();
        File.Exists(root["run"]).ShouldBeFalse();
    }

    [Fact]
    public async Task A_script_may_name_its_interpreter_and_is_bash_otherwise()
    {
        using var python = new LaunchRoot("#!/usr/bin/env python3\nprint(6 * 7)\n");
        (await python.RunAsync()).ShouldExit(0).Out.ShouldBe("42\n");
        using var bash = new LaunchRoot("a=(x y); [[ ${a[1]} == y ]] && echo ${#a[@]}");
        (await bash.RunAsync()).ShouldExit(0).Out.ShouldBe("2\n");
    }

    [Fact]
    public async Task The_launch_environment_wins_and_the_users_is_left_alone()
    {
        using var root = new LaunchRoot("printf '%s|' \"$TRESTLE_NODE_IPS\" \"$TRESTLE_NODE_RANK\" \"$code\" \"$child\"");
        root.Environment([new("TRESTLE_NODE_IPS", "10.0.0.1\n10.0.0.2"), new("TRESTLE_NODE_RANK", "it's $(rank) 1")]);
        (await root.RunAsync(environment: [("TRESTLE_NODE_RANK", "99"), ("code", "mine"), ("child", "too")])).ShouldExit(0)
            .Out.ReplaceLineEndings("\n").TrimEnd('\n').ShouldBe("10.0.0.1\n10.0.0.2|it's $(rank) 1|mine|too|");
    }

    [Fact]
    public async Task It_starts_in_a_writable_copy_of_the_working_directory()
    {
        using var root = new LaunchRoot("cat train.py .hidden; pwd; echo new >train.py");
        root.Write("workdir-source/..data/train.py", "code\n");
        root.Write("workdir-source/..data/.hidden", "hidden\n");
        File.CreateSymbolicLink(root["workdir-source/train.py"], "..data/train.py");
        File.CreateSymbolicLink(root["workdir-source/.hidden"], "..data/.hidden");
        Directory.CreateDirectory(root["workdir"]);
        (await root.RunAsync()).ShouldExit(0).Out.ShouldBe($"code\nhidden\n{root["workdir"]}\n");
        Directory.EnumerateFileSystemEntries(root["workdir"]).Select(Path.GetFileName).ShouldBe([".hidden", "train.py"], ignoreOrder: true);
        (await File.ReadAllTextAsync(root["workdir-source/train.py"], TestContext.Current.CancellationToken)).ShouldBe("code\n");
    }

    [Fact]
    public async Task Python_under_it_still_knows_interrupts()
    {
        using var root = new LaunchRoot("exec python3 -c 'import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)'");
        (await root.RunAsync()).ShouldExit(0).Out.ShouldBe("True\n");
    }

    [Theory]
    [InlineData("dash", "exit 0", 0)]
    [InlineData("dash", "exit 7", 7)]
    [InlineData("dash", "kill -KILL $$", 137)]
    [InlineData("bash", "exit 7", 7)]
    public async Task It_exits_as_the_script_did_when_it_is_watched(string shell, string run, int code)
    {
        using var root = new LaunchRoot(run).Watched();
        (await root.RunAsync(shell)).ExitCode.ShouldBe(code);
    }

    [Theory]
    [InlineData("dash")]
    [InlineData("bash")]
    public async Task Nothing_of_the_output_is_lost_when_it_is_watched(string shell)
    {
        using var root = new LaunchRoot("seq 1 50000; echo warning >&2; printf 'no end of line'", "echo setup").Watched();
        var said = (await root.RunAsync(shell)).ShouldExit(0).Out.Split('\n');
        said[0].ShouldBe("setup");
        said[1..50001].ShouldBe(Enumerable.Range(1, 50000).Select(number => $"{number}"));
        said[50001].ShouldBe("warning");
        said[50002].ShouldStartWith("no end of line");
    }

    [Fact]
    public async Task Output_is_seen_beside_it_while_the_script_runs()
    {
        using var root = new LaunchRoot("until [ -f go ]; do sleep 0.05; done; echo a line; exec sleep 600").Watched();
        await using var command = root.Start();
        await root.UntilThereAsync("run/output");
        var before = File.GetLastWriteTimeUtc(root["run/output"]);
        root.Write("go", "");
        await Condition.UntilAsync("the copy has changed", () => File.GetLastWriteTimeUtc(root["run/output"]) > before);
        await Condition.UntilAsync("the copy is not kept", () => new FileInfo(root["run/output"]).Length == 0);
        command.Signal("TERM");
        (await command.EndAsync(TimeSpan.FromSeconds(30))).ShouldExit(143).Out.ShouldContain("a line\n");
    }

    [Fact]
    public async Task What_a_watched_script_left_running_holds_nothing_up()
    {
        using var root = new LaunchRoot("sleep 600 & echo done").Watched();
        (await root.RunAsync()).ShouldExit(0).Out.ShouldBe("done\n");
    }
}
