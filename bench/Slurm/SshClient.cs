using System.Diagnostics;
using System.Globalization;
using Trestle.Testing;
using Trestle.Testing.Slurm;

namespace Trestle.Bench.Slurm;

/// <summary>OpenSSH's own client as the peer: what a script around `ssh login sbatch` does.</summary>
internal sealed class SshClient : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly string[] _arguments;

    public SshClient(SlurmCluster slurm)
    {
        var key = _directory.Write("key", slurm.A.Ed25519Key);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var hosts = _directory.Write("hosts", slurm.KnownHosts);
        _arguments = ["-F", "none", "-i", key, "-o", $"UserKnownHostsFile={hosts}", "-o", "BatchMode=yes", "-p", slurm.Port.ToString(CultureInfo.InvariantCulture), "-S", _directory["control"]];
        Target = $"{slurm.A.Name}@{slurm.Host}";
    }

    private string Target { get; }

    /// <summary>A job that waits, as a command.</summary>
    public static string Sbatch(string name) => $"sbatch --parsable --job-name={name} --partition=gpu --nodes=1 --mem=100 --output=/dev/null --wrap=true";

    /// <summary>Submissions a second, each over a connection of its own.</summary>
    public Task<double> EachItsConnectionAsync(int count) => RateAsync(count, number => RunAsync("-o", "ControlMaster=no", "-o", "ControlPath=none", Target, Sbatch($"each-{number}")));

    /// <summary>Submissions a second, one after the other over one open connection.</summary>
    public async Task<double> OneConnectionAsync(int count)
    {
        await using var master = Command.Start("ssh", [.. _arguments, "-M", "-N", Target]);
        await Condition.UntilAsync("the connection is open", async () => (await Command.RunAsync("ssh", [.. _arguments, "-O", "check", Target])).ExitCode == 0);
        return await RateAsync(count, number => RunAsync(Target, Sbatch($"one-{number}")));
    }

    /// <summary>Submissions a second of a loop in one remote shell, which learns nothing when it is cut off.</summary>
    public async Task<double> RemoteLoopAsync(int count)
    {
        var began = Stopwatch.GetTimestamp();
        await RunAsync("-o", "ControlPath=none", Target, $"for i in $(seq {count.ToString(CultureInfo.InvariantCulture)}); do {Sbatch("loop-$i")} || exit 1; done");
        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Seconds and bytes of a command.</summary>
    public async Task<(double Seconds, int Bytes)> AskAsync(string command)
    {
        var began = Stopwatch.GetTimestamp();
        var answer = await RunAsync("-o", "ControlPath=none", Target, command);
        return (Stopwatch.GetElapsedTime(began).TotalSeconds, answer.Out.Length);
    }

    public ValueTask DisposeAsync()
    {
        _directory.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<double> RateAsync(int count, Func<int, Task> submit)
    {
        var began = Stopwatch.GetTimestamp();
        for (var number = 0; number < count; number++) await submit(number);
        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private async Task<CommandResult> RunAsync(params string[] arguments) =>
        (await Command.RunAsync("ssh", [.. _arguments, .. arguments], timeout: TimeSpan.FromMinutes(5))).ShouldExit(0);
}
