namespace Trestle.Local.ApiServer;

/// <summary>Who asks, as authentication found it.</summary>
internal sealed record User(string Name, string? Uid, IReadOnlyList<string> Groups)
{
    public static readonly User Anonymous = new("system:anonymous", null, ["system:unauthenticated"]);
    public static readonly User Admin = new("admin", "admin", ["system:masters", "system:authenticated"]);

    /// <summary>The user behind an impersonation; null when there is none.</summary>
    public User? Impersonator { get; init; }

    /// <summary>Claims of a service-account token that show up in <c>userInfo.extra</c>.</summary>
    public IReadOnlyDictionary<string, string> Extra { get; init; } = new Dictionary<string, string>();

    public bool IsAnonymous => Name == Anonymous.Name;
}
