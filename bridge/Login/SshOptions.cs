namespace Trestle.Bridge.Login;

/// <summary>Times and limits of the contact to login nodes. The defaults stay below those of sshd.</summary>
public sealed record SshOptions
{
    /// <summary>For TCP, the key exchange and the login together, for each host on the way.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>From a script's start to its complete answer. Above 120 s, for which sbatch may retry by itself.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(150);

    /// <summary>Between signs of life on a connection.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A connection that nothing ran on for so long is closed.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Scripts at once on a connection; sshd allows 10 (MaxSessions).</summary>
    public int ChannelsPerConnection { get; init; } = 8;

    /// <summary>Logins at once at a cluster; sshd starts to refuse at 10 (MaxStartups).</summary>
    public int LoginsPerCluster { get; init; } = 4;

    /// <summary>Longest answer, stdout or stderr, in bytes: a login node can't fill the bridge's memory.</summary>
    public long LongestAnswer { get; init; } = 64 << 20;
}
