namespace Trestle.CacheMount;

/// <summary>How the user's directory is served.</summary>
internal enum FrontKind
{
    /// <summary>By FUSE where it is allowed, else as a directory.</summary>
    Auto,

    /// <summary>As a file system of our own.</summary>
    Fuse,

    /// <summary>As a plain directory that is watched.</summary>
    Directory,
}
