using Trestle.CacheMount.Journal;

namespace Trestle.CacheMount.Flush;

/// <summary>What the engine can't do by itself.</summary>
internal interface IFlushOwner
{
    /// <summary>The file is not what was closed; whoever watches it decides anew and has told the engine before this ends.</summary>
    Task RecheckAsync(string path);

    /// <summary>Everything before a checkpoint is visible: writes its manifest, or removes it.</summary>
    Task<Publication> PublishAsync(Publish operation, CancellationToken ct);
}
