namespace Trestle.CacheMount;

/// <summary>What a close waits for.</summary>
internal enum MountMode
{
    /// <summary>For nothing: files go to the store behind the user's back.</summary>
    MountCached,

    /// <summary>For the store: what was closed without an error is there. The cache is small.</summary>
    Mount,
}
