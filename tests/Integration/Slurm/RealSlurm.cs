using Microsoft.Extensions.Logging.Abstractions;
using Trestle.Bridge.Login;
using Trestle.Testing.Slurm;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>The real Slurm as the tests of the bridge use it.</summary>
internal static class RealSlurm
{
    /// <summary>Without the parts of a real Slurm the test is skipped, and with CI=true it fails.</summary>
    public static void Require()
    {
        var missing = SlurmFixture.Missing;
        if (Environment.GetEnvironmentVariable("CI") == "true") missing.ShouldBeNull();
        Assert.SkipWhen(missing is not null, missing ?? "");
    }

    /// <summary>The cluster with all its parts at work.</summary>
    public static async Task<SlurmCluster> HealthyAsync(this SlurmFixture fixture)
    {
        Require();
        var cluster = await fixture.ClusterAsync();
        await cluster.HealAsync();
        return cluster;
    }

    public static ClusterLogin Login(this SlurmCluster cluster, SlurmUser user, string? key = null) =>
        new("test", cluster.Host, cluster.Port, [], user.Name, key ?? user.Ed25519Key, cluster.KnownHosts);

    public static SshLoginNodes Nodes(SshOptions? options = null) => new(options ?? new SshOptions(), TimeProvider.System, NullLogger.Instance);

    /// <summary>How often someone has logged in so far.</summary>
    public static int Logins(this SlurmCluster cluster) => cluster.SshLog.Split("Accepted publickey").Length - 1;

    public static string Text(this ReadOnlyMemory<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes.Span);
}
