namespace Trestle.Bridge.Login;

/// <summary>What known_hosts says of a key that a host has shown.</summary>
internal enum HostKeyVerdict
{
    /// <summary>Pinned.</summary>
    Known,

    /// <summary>There is no line for the host.</summary>
    Unknown,

    /// <summary>The host is pinned to other keys.</summary>
    Changed,

    /// <summary>Marked as @revoked.</summary>
    Revoked,
}
