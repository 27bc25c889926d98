using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Trestle.Local.Nodes.Sandbox;

/// <summary>What is known of a sandbox from its directory and /proc.</summary>
public enum SandboxState
{
    /// <summary>Was never started, or the start left no trace.</summary>
    Absent,

    /// <summary>Its command may run.</summary>
    Running,

    /// <summary>Ended with an exit code.</summary>
    Exited,

    /// <summary>bubblewrap ended before the command could be run.</summary>
    NotStarted,

    /// <summary>Gone without leaving an exit code: killed from outside, or the machine went down.</summary>
    Lost,
}

/// <summary>A reading of a sandbox.</summary>
/// <param name="State">The state.</param>
/// <param name="ExitCode">Exit code when exited; 128+n for signal n.</param>
/// <param name="StartedAt">Start of the run.</param>
/// <param name="FinishedAt">End of the run, when ended.</param>
/// <param name="Error">bubblewrap's own words when it could not start the command.</param>
public sealed record SandboxReading(SandboxState State, int? ExitCode = null, DateTimeOffset StartedAt = default, DateTimeOffset? FinishedAt = null, string? Error = null);

/// <summary>
/// One run of one container as a bubblewrap process in a session of its own. It outlives this process: all that is
/// known of it is in files of its directory (<c>pid</c> written by the process itself, <c>status</c> by bubblewrap,
/// raw <c>out</c> and <c>err</c>), so that a later agent can take it over.
/// </summary>
public sealed class SandboxProcess(string directory)
{
    /// <summary>Variable in the environment of bubblewrap's own processes that names the directory; unset for the command.</summary>
    public const string Marker = "TRESTLE_SANDBOX";

    // Everything is a shell builtin until exec, so a start costs two exec calls and no further fork.
    private const string StartScript = """
        d=$1; g=$2; shift 2
        read -r s </proc/self/stat && printf '%s\n' "$s" >"$d/pid" || exit 125
        if [ -n "$g" ]; then echo $$ >"$g" || :; fi
        exec bwrap --args 4 --json-status-fd 3 -- "$@" </dev/null 3>"$d/status" 4<"$d/args" >>"$d/out" 2>>"$d/err"
        """;

    private Process? _child;

    /// <summary>Directory of the run.</summary>
    public string Directory => directory;

    /// <summary>Raw standard output.</summary>
    public string OutputFile => Path.Combine(directory, "out");

    /// <summary>Raw standard error.</summary>
    public string ErrorFile => Path.Combine(directory, "err");

    /// <summary>File shown as the termination message path.</summary>
    public string TerminationFile => Path.Combine(directory, "termination");

    /// <summary>Starts the sandbox. Throws <see cref="IOException"/> or <see cref="System.ComponentModel.Win32Exception"/> when no process could be made.</summary>
    public void Start(SandboxSpec spec, IHostFiles host)
    {
        System.IO.Directory.CreateDirectory(directory);
        foreach (var stale in new[] { "pid", "status" }) File.Delete(Path.Combine(directory, stale));
        File.WriteAllText(OutputFile, "");
        File.WriteAllText(ErrorFile, "");
        WriteArguments(spec, host);

        var start = new ProcessStartInfo("setsid") { UseShellExecute = false, WorkingDirectory = "/" };
        foreach (var argument in (string[])["/bin/sh", "-c", StartScript, "sh", directory, spec.MemoryGroup ?? "", .. spec.Command]) start.ArgumentList.Add(argument);
        start.Environment.Clear();
        foreach (var (name, value) in spec.Environment) start.Environment[name] = value;
        start.Environment[Marker] = directory;
        _child = Process.Start(start);
    }

    /// <summary>Completes when the process ends; for a sandbox taken over it never does, and <see cref="Read"/> must be polled.</summary>
    public Task ExitAsync(CancellationToken ct) => _child is { } child ? child.WaitForExitAsync(ct) : Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);

    /// <summary>Reads the state from files and /proc.</summary>
    public SandboxReading Read()
    {
        var pidFile = Path.Combine(directory, "pid");
        // Asked for a second time where it may have come in between.
        if (Monitor() is null && IsBeingSetUp()) return new(SandboxState.Running, StartedAt: Written(Path.Combine(directory, "args")));
        if (Monitor() is not { } monitor) return new(SandboxState.Absent);

        var started = Written(pidFile);
        if (ProcessTable.IsAlive(monitor)) return new(SandboxState.Running, StartedAt: started);
        var (init, code) = Status();
        if (init is { } left && IsOurs(left))
        {
            // bubblewrap's outer process was killed alone: what it watched must not stay.
            NativeCalls.Signal(left, NativeCalls.Kill);
        }

        var finished = Written(Path.Combine(directory, "status"));
        if (code is not null) return new(SandboxState.Exited, code, started, finished);
        if (Complaint() is { } error) return new(SandboxState.NotStarted, null, started, finished, error);
        return new(SandboxState.Lost, 137, started, finished);
    }

    /// <summary>Asks the command to end. False when it could not be found (not yet started, or gone).</summary>
    public bool Terminate() => Status().Init is { } init && IsOurs(init) && ProcessTable.CommandOf(init) is { } command && NativeCalls.Signal(command, NativeCalls.Term);

    /// <summary>Kills every process of the sandbox at once.</summary>
    public void Kill()
    {
        var (init, _) = Status();
        // The kernel kills a pid namespace with its process 1; bubblewrap then reports 137 itself.
        if (init is { } first && IsOurs(first))
        {
            NativeCalls.Signal(first, NativeCalls.Kill);
            return;
        }

        // Killed while bubblewrap was still setting up: its child may live on and has to be looked for.
        foreach (var pid in ProcessTable.All().Where(IsOurs)) NativeCalls.Signal(pid, NativeCalls.Kill);
    }

    /// <summary>Process 1 of the sandbox as this machine numbers it, to enter it; null when it is not running.</summary>
    public int? Init => Status().Init is { } init && IsOurs(init) ? init : null;

    /// <summary>The container's own command as this machine numbers it.</summary>
    public int? CommandId => Init is { } init ? ProcessTable.CommandOf(init) : null;

    /// <summary>Kills every sandbox whose directory lies below <paramref name="root"/>; gives how many processes were hit.</summary>
    public static int KillAllBelow(string root)
    {
        var prefix = root.TrimEnd('/') + "/";
        var hit = 0;
        // bubblewrap's outer process first: one that outlived the inner one would record an exit that nobody made.
        foreach (var (pid, _) in Marked(prefix).OrderBy(p => p.StartTicks).ThenBy(p => p.Pid))
        {
            if (NativeCalls.Signal(pid, NativeCalls.Kill)) hit++;
        }

        return hit;
    }

    /// <summary>Processes of sandboxes below <paramref name="root"/> that still run.</summary>
    public static IReadOnlyList<int> FindBelow(string root)
    {
        var prefix = root.TrimEnd('/') + "/";
        return [.. Marked(prefix).Select(p => p.Pid)];
    }

    private static IEnumerable<ProcessIdentity> Marked(string prefix) => ProcessTable.All()
        .Where(pid => ProcessTable.StartVariable(pid, Marker)?.StartsWith(prefix, StringComparison.Ordinal) == true)
        .Select(ProcessTable.Find).OfType<ProcessIdentity>().ToList();

    private void WriteArguments(SandboxSpec spec, IHostFiles host)
    {
        List<string> arguments = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", spec.HostName];
        arguments.AddRange(Capabilities());
        arguments.AddRange(new RootLayout(host).Arguments(spec.Mounts, spec.Hidden, [spec.WorkingDirectory]));
        arguments.AddRange(["--chdir", spec.WorkingDirectory, "--unsetenv", Marker]);
        var path = Path.Combine(directory, "args");
        File.WriteAllBytes(path, Encoding.UTF8.GetBytes(string.Concat(arguments.Select(a => a + '\0'))));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    // As root: what a container has by default elsewhere, and nothing that could undo the sandbox.
    private static IEnumerable<string> Capabilities()
    {
        if (!Environment.IsPrivilegedProcess) return [];
        string[] kept = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT"];
        return ["--cap-drop", "ALL", .. kept.SelectMany(c => (string[])["--cap-add", "CAP_" + c])];
    }

    private ProcessIdentity? Monitor() => ProcessTable.Read(Path.Combine(directory, "pid")) is { } line ? ProcessTable.ParseStat(line) : null;

    private bool IsOurs(int pid) => ProcessTable.StartVariable(pid, Marker) == directory && ProcessTable.Find(pid) is not null;

    // Its first line has not come yet; the agent that started it may be gone already.
    private bool IsBeingSetUp() => _child is { HasExited: false } || ProcessTable.All().Any(IsOurs);

    private (int? Init, int? ExitCode) Status()
    {
        int? init = null, code = null;
        foreach (var line in (ProcessTable.Read(Path.Combine(directory, "status")) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                using var json = JsonDocument.Parse(line);
                if (json.RootElement.TryGetProperty("child-pid", out var child)) init = child.GetInt32();
                if (json.RootElement.TryGetProperty("exit-code", out var exit)) code = exit.GetInt32();
            }
            catch (JsonException)
            {
                break; // a line still being written
            }
        }

        return (init, code);
    }

    private string? Complaint()
    {
        var line = ReadHead(ErrorFile).Split('\n').FirstOrDefault(l => l.StartsWith("bwrap: ", StringComparison.Ordinal) || l.Contains(": bwrap: not found", StringComparison.Ordinal));
        return line?.Replace("bwrap: ", "", StringComparison.Ordinal);
    }

    private static string ReadHead(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var head = new byte[Math.Min(4096, file.Length)];
            return Encoding.UTF8.GetString(head, 0, file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false));
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static DateTimeOffset Written(string path) => new(File.GetLastWriteTimeUtc(path), TimeSpan.Zero);
}
