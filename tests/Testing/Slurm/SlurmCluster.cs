using System.Globalization;

namespace Trestle.Testing.Slurm;

/// <summary>A real Slurm with slurmdbd, four GPU nodes, one CPU node and an sshd, all on this machine (slurm-up.sh).</summary>
public sealed class SlurmCluster : IAsyncDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);
    private readonly IReadOnlyDictionary<string, string> settings;

    private SlurmCluster(string directory, IReadOnlyDictionary<string, string> settings)
    {
        Directory = directory;
        this.settings = settings;
        A = User("a");
        B = User("b");
    }

    public static IReadOnlyList<string> Nodes { get; } = ["gpu1", "gpu2", "gpu3", "gpu4", "cpu1"];

    /// <summary>All processes, in the order of starting.</summary>
    public static IReadOnlyList<string> Daemons { get; } = ["munged", "mariadbd", "slurmdbd", "slurmctld", .. Nodes.Select(node => $"slurmd.{node}"), "sshd"];

    public string Directory { get; }

    public string Host => "127.0.0.1";

    public int Port => int.Parse(settings["SSH_PORT"], CultureInfo.InvariantCulture);

    /// <summary>The keys of this cluster's sshd, as a known_hosts text: ecdsa, ed25519 and rsa.</summary>
    public string KnownHosts => File.ReadAllText(Path.Combine(Directory, "ssh", "known_hosts"));

    public SlurmUser A { get; }

    public SlurmUser B { get; }

    /// <summary>What the processes need to find this cluster.</summary>
    public string ConfigFile => settings["CONF"];

    /// <summary>What sshd has logged.</summary>
    public string SshLog => File.ReadAllText(Path.Combine(Directory, "log", "sshd.out"));

    /// <summary>Whether jobs can be put into control groups here, as this fixture does it: by version 1, which needs no systemd.</summary>
    public static bool HasControlGroups => File.Exists("/sys/fs/cgroup/memory/memory.limit_in_bytes");

    /// <param name="inControlGroups">Whether jobs are; one such cluster at a time.</param>
    public static async Task<SlurmCluster> StartAsync(bool inControlGroups = false)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("trestle-slurm-").FullName;
        var owner = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        var up = (await Command.RunAsync("bash", [PathOf("slurm-up.sh"), directory, owner], new Dictionary<string, string?> { ["SLURM_CGROUPS"] = inControlGroups ? "1" : "0" }, Long)).ShouldExit(0);
        return new SlurmCluster(directory, up.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]));
    }

    /// <summary>Starts what does not run, by name (slurmctld, slurmdbd, slurmd.gpu1, sshd…), and waits until it serves.</summary>
    public Task StartAsync(params string[] daemons) => DaemonsAsync("start", daemons);

    /// <summary>Asks to end, and waits.</summary>
    public Task StopAsync(params string[] daemons) => DaemonsAsync("stop", daemons);

    /// <summary>SIGKILL; `connections` are all open SSH connections.</summary>
    public Task KillAsync(params string[] daemons) => DaemonsAsync("kill", daemons);

    /// <summary>Starts whatever a test has left stopped.</summary>
    public Task HealAsync() => StartAsync([.. Daemons]);

    /// <summary>A shell command on the login node, without SSH.</summary>
    public Task<CommandResult> RunAsync(SlurmUser user, string command) => Command.RunAsync("setpriv",
        ["--reuid", user.Name, "--regid", user.Name, "--clear-groups", "sh", "-c", command], Variables(user.Home), directory: user.Home);

    public Task<CommandResult> RunAsRootAsync(string command) => Command.RunAsync("sh", ["-c", command], Variables("/root"));

    /// <summary>The ends of all logs.</summary>
    public async Task<string> LogsAsync() => (await RunAsRootAsync($"tail -n 20 {Directory}/log/*.out {Directory}/log/*.log {Directory}/log/slurm/*.log")).Out;

    public async ValueTask DisposeAsync() => (await ScriptAsync("slurm-down.sh", Directory)).ShouldExit(0);

    private static Task<CommandResult> ScriptAsync(string name, params string[] arguments) =>
        Command.RunAsync("bash", [PathOf(name), .. arguments], timeout: Long);

    private static string PathOf(string name) => RepositoryFiles.Path("tests", "Testing", "Slurm", name);

    private async Task DaemonsAsync(string action, string[] daemons)
    {
        var result = await ScriptAsync("slurm-daemon.sh", [Directory, action, .. daemons]);
        if (result.ExitCode != 0) throw new InvalidOperationException($"{result}\n{await LogsAsync()}");
    }

    private Dictionary<string, string?> Variables(string home) => new() { ["SLURM_CONF"] = ConfigFile, ["HOME"] = home };

    private SlurmUser User(string letter)
    {
        string Key(string type) => File.ReadAllText(Path.Combine(Directory, "ssh", $"{letter}.{type}"));
        return new SlurmUser(settings[$"USER_{letter.ToUpperInvariant()}"], Path.Combine(Directory, "home", letter), Key("ed25519"), Key("ecdsa"), Key("rsa"));
    }
}
