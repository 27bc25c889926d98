namespace Trestle.Testing.Slurm;

/// <summary>One cluster for all tests that share this fixture; started when the first of them asks.</summary>
public sealed class SlurmFixture : IAsyncDisposable
{
    private static readonly string[] Programs = ["slurmctld", "slurmd", "slurmdbd", "sbatch", "munged", "mariadbd", "mariadb-install-db", "sshd", "ssh-keygen"];
    private readonly Lock starting = new();
    private Task<SlurmCluster>? cluster;

    /// <summary>What this machine lacks, as a sentence; null when there is nothing.</summary>
    public static string? Missing
    {
        get
        {
            if (!Environment.IsPrivilegedProcess) return "a real Slurm needs root, since its nodes and sshd become other users";
            var directories = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin");
            var missing = Programs.Where(program => !directories.Any(directory => File.Exists(Path.Combine(directory, program)))).ToList();
            return missing.Count == 0 ? null : $"these programs are not installed (./test.sh does): {string.Join(' ', missing)}";
        }
    }

    public Task<SlurmCluster> ClusterAsync()
    {
        lock (starting) return cluster ??= SlurmCluster.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (cluster is not null) await (await cluster).DisposeAsync();
    }
}
