namespace Trestle.CacheMount.Checkpoints;

/// <summary>What a rank has of a checkpoint, all of it in the store.</summary>
/// <param name="Files">Its files.</param>
/// <param name="IsBroken">One more of its files never gets there.</param>
internal sealed record OwnFiles(IReadOnlyList<ManifestFile> Files, bool IsBroken = false);

/// <summary>What a rank knows of its own files.</summary>
internal interface IShareSource
{
    /// <summary>Its files of a checkpoint, as they are in the store after all that was closed before this call; null: not all of them are.</summary>
    Task<OwnFiles?> FilesOfAsync(string checkpoint);

    /// <summary>Checkpoints of which it has written something that no manifest tells of; null: something is not in the store yet.</summary>
    IReadOnlyList<string>? Unlisted();
}
