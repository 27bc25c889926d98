using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Integration.Tests.Nodes;

/// <summary>With the real bubblewrap.</summary>
public sealed class SandboxTests : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("trestle-sandbox-").FullName;

    public async ValueTask DisposeAsync()
    {
        while (SandboxProcess.KillAllBelow(_root) > 0) await Task.Yield();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task A_command_runs_with_its_own_host_name_processes_and_environment()
    {
        var sandbox = Start("echo $(hostname) $A $(ps ax -o pid= | wc -l); env | grep -c TRESTLE_SANDBOX; exit 3", [], ("A", "b c"));
        await sandbox.ExitAsync(TestContext.Current.CancellationToken);
        sandbox.Read().ShouldSatisfyAllConditions(r => r.State.ShouldBe(SandboxState.Exited), r => r.ExitCode.ShouldBe(3));
        var lines = Lines(sandbox);
        lines[0].ShouldStartWith("h-0 b c ");
        int.Parse(lines[0].Split(' ')[^1]).ShouldBeLessThan(10);
        lines[1].ShouldBe("0");
    }

    [Fact]
    public async Task Volumes_appear_anywhere_even_where_the_host_has_nothing()
    {
        var volume = Directory.CreateDirectory(Path.Combine(_root, "volume")).FullName;
        Write(Path.Combine(volume, "f"), "in the volume\n");
        string[] targets = ["/data", "/deep/er/still", "/var/run/secrets/kubernetes.io/serviceaccount", "/usr/share/trestle-none/x", "/tmp/y", "/etc/trestle.d", "/dev/shm"];
        var mounts = targets.Select(t => new SandboxMount(volume, t, IsDirectory: true, ReadOnly: t == "/data")).ToList();
        var sandbox = Start(string.Join("; ", targets.Select(t => $"cat {t}/f")) + "; echo x >/deep/er/still/new; ls /usr/bin/env /etc/passwd; (echo no >/data/f) 2>/dev/null || echo refused", mounts);
        await sandbox.ExitAsync(TestContext.Current.CancellationToken);
        Read(sandbox.ErrorFile).ShouldBe("");
        Lines(sandbox).ShouldBe([.. targets.Select(_ => "in the volume"), "/etc/passwd", "/usr/bin/env", "refused"]);
        File.Exists(Path.Combine(volume, "new")).ShouldBeTrue();
    }

    [Fact]
    public async Task The_state_directory_is_not_seen()
    {
        var secret = Directory.CreateDirectory(Path.Combine(_root, "secret")).FullName;
        Write(Path.Combine(secret, "token"), "hush");
        var home = Directory.CreateDirectory("/var/tmp/trestle-hidden-" + Path.GetFileName(_root)).FullName;
        Write(Path.Combine(home, "kubeconfig"), "hush");
        var sandbox = Start($"cat {secret}/token {home}/kubeconfig; true", [], hidden: [home]);
        await sandbox.ExitAsync(TestContext.Current.CancellationToken);
        Read(sandbox.OutputFile).ShouldBe("");
        Directory.Delete(home, recursive: true);
    }

    [Fact]
    public async Task A_command_that_does_not_exist_is_reported_in_bubblewraps_words()
    {
        var sandbox = new SandboxProcess(Path.Combine(_root, "run"));
        sandbox.Start(Spec(sandbox, ["no-such-command"], []), new HostFiles());
        await sandbox.ExitAsync(TestContext.Current.CancellationToken);
        sandbox.Read().ShouldSatisfyAllConditions(r => r.State.ShouldBe(SandboxState.NotStarted), r => r.Error!.ShouldContain("no-such-command"));
    }

    [Fact]
    public async Task Terminate_reaches_the_command_and_its_code_is_kept()
    {
        var sandbox = Start("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done", []);
        await UntilAsync(() => Read(sandbox.OutputFile).Contains("up"));
        sandbox.Terminate().ShouldBeTrue();
        await sandbox.ExitAsync(TestContext.Current.CancellationToken);
        sandbox.Read().ExitCode.ShouldBe(7);
    }

    [Fact]
    public async Task Kill_takes_the_whole_tree_even_what_left_its_session()
    {
        var sandbox = Start("setsid sleep 1000 & (trap '' TERM HUP; sleep 1001) & echo up; wait", []);
        await UntilAsync(() => Read(sandbox.OutputFile).Contains("up"));
        sandbox.Kill();
        await sandbox.ExitAsync(TestContext.Current.CancellationToken);
        sandbox.Read().ExitCode.ShouldBe(137);
        SandboxProcess.FindBelow(_root).ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_agent_reads_the_same_sandbox_from_its_directory()
    {
        var sandbox = Start("echo up; while [ ! -e /flag/go ]; do sleep 0.02; done; exit 5", [new SandboxMount(_root, "/flag", true)]);
        await UntilAsync(() => Read(sandbox.OutputFile).Contains("up"));
        var other = new SandboxProcess(sandbox.Directory);
        other.Read().State.ShouldBe(SandboxState.Running);
        Write(Path.Combine(_root, "go"), "");
        await UntilAsync(() => other.Read().State == SandboxState.Exited);
        other.Read().ExitCode.ShouldBe(5);
    }

    [Fact]
    public async Task A_start_that_has_not_written_its_first_line_yet_is_not_taken_for_none()
    {
        var directory = Directory.CreateDirectory(Path.Combine(_root, "run")).FullName;
        var start = new System.Diagnostics.ProcessStartInfo("sleep", "1000") { Environment = { [SandboxProcess.Marker] = directory } };
        using var early = System.Diagnostics.Process.Start(start)!;
        new SandboxProcess(directory).Read().State.ShouldBe(SandboxState.Running);
        early.Kill();
        await early.WaitForExitAsync(TestContext.Current.CancellationToken);
        new SandboxProcess(directory).Read().State.ShouldBe(SandboxState.Absent);
    }

    [Fact]
    public async Task When_only_the_outer_process_is_killed_nothing_inside_stays()
    {
        var sandbox = Start("echo up; sleep 1000", []);
        await UntilAsync(() => Read(sandbox.OutputFile).Contains("up"));
        var monitor = int.Parse(Read(Path.Combine(sandbox.Directory, "pid")).Split(' ')[0]);
        System.Diagnostics.Process.GetProcessById(monitor).Kill();
        await UntilAsync(() => sandbox.Read().State == SandboxState.Lost);
        await UntilAsync(() => SandboxProcess.FindBelow(_root).Count == 0);
        sandbox.Read().ExitCode.ShouldBe(137);
    }

    private SandboxProcess Start(string script, IReadOnlyList<SandboxMount> mounts, (string, string)? variable = null, IReadOnlyList<string>? hidden = null)
    {
        var sandbox = new SandboxProcess(Path.Combine(_root, "run"));
        sandbox.Start(Spec(sandbox, ["sh", "-c", script], mounts, variable, hidden), new HostFiles());
        return sandbox;
    }

    private static SandboxSpec Spec(SandboxProcess sandbox, IReadOnlyList<string> command, IReadOnlyList<SandboxMount> mounts, (string Name, string Value)? variable = null, IReadOnlyList<string>? hidden = null) => new(
        sandbox.Directory, command,
        [new("PATH", "/usr/bin:/bin"), .. variable is { } v ? new[] { KeyValuePair.Create(v.Name, v.Value) } : []],
        "/", "h-0", mounts, hidden ?? []);

    private static string[] Lines(SandboxProcess sandbox) => File.ReadAllLines(sandbox.OutputFile);

    private static void Write(string path, string text) => File.WriteAllText(path, text);

    private static string Read(string path) => File.ReadAllText(path);

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition()) await Task.Delay(10, limit.Token);
    }
}
