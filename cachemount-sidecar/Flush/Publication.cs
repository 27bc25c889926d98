namespace Trestle.CacheMount.Flush;

/// <summary>What became of a manifest.</summary>
internal enum Publication
{
    /// <summary>It is in the store.</summary>
    Published,

    /// <summary>Files of the checkpoint are not clean yet.</summary>
    NotYet,

    /// <summary>Files of the checkpoint are being removed, and the manifest is.</summary>
    Gone,
}
