using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Flush;

namespace Trestle.CacheMount;

/// <summary>A cache mount as it is started.</summary>
/// <param name="Cache">Directory of the cache: <c>files</c> in it is the user's, <c>state</c> is ours.</param>
internal sealed record MountSettings(string Cache)
{
    /// <summary>Who writes, e.g. the name of the pod; a name in manifests.</summary>
    public string Writer { get; init; } = Environment.MachineName;

    /// <summary>Number of the attempt; 0 when not known.</summary>
    public int Attempt { get; init; }

    /// <summary>Nodes that write the same checkpoints, each into a cache of its own.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Which of them this is, from 0.</summary>
    public int Rank { get; init; }

    /// <summary>The job, by a name that no other one has; empty when not known.</summary>
    public string Run { get; init; } = "";

    /// <summary>What the other nodes say of checkpoints is looked at again after this time.</summary>
    public TimeSpan ShareEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Which paths are checkpoints.</summary>
    public IReadOnlyList<string> Checkpoints { get; init; } = ["step-*", "step_*", "checkpoint-*", "checkpoint_*", "iter_*", "global_step*", "epoch-*", "epoch_*"];

    /// <summary>Most bytes of the cache; 0: as many as the disk has.</summary>
    public long Size { get; init; }

    /// <summary>Sizes of the flush engine.</summary>
    public FlushSettings Flush { get; init; } = new();

    /// <summary>Times of the directory front.</summary>
    public FrontSettings Front { get; init; } = new();

    /// <summary>What a close waits for.</summary>
    public MountMode Mode { get; init; }

    /// <summary>How the user's directory is served.</summary>
    public FrontKind FrontKind { get; init; } = FrontKind.Directory;

    /// <summary>Where the FUSE front is mounted; over <see cref="Files"/> when null.</summary>
    public string? MountAt { get; init; }

    /// <summary>Whether the kernel may read and write files of the cache by itself, where it can.</summary>
    public bool AllowsPassthrough { get; init; } = true;

    /// <summary>The store is looked at again after this time, for what others have written; the FUSE front shows it.</summary>
    public TimeSpan ListEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The user's directory.</summary>
    public string Files => Path.Combine(Cache, "files");

    /// <summary>Ours.</summary>
    public string State => Path.Combine(Cache, "state");
}
