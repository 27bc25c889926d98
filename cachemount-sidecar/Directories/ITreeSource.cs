using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;

namespace Trestle.CacheMount.Directories;

/// <summary>Knows what happens in a tree, and says so in the order in which it happened.</summary>
internal interface ITreeSource : IDisposable
{
    /// <summary>Why not everything is told; null when it is.</summary>
    string? Trouble { get; }

    /// <summary>Goes on to tell. Files that are there already are not told.</summary>
    /// <param name="changed">Told what happens, one thing at a time.</param>
    /// <param name="tick">Called on the same thread ten times a second.</param>
    void Start(Action<TreeChange, string> changed, Action tick);

    /// <summary>Waits until everything that had happened before this call has been told.</summary>
    Task DrainAsync();

    /// <summary>Whether somebody may have a file open for writing; false only when surely nobody has.</summary>
    bool MayHaveWriter(string path);

    /// <summary>The local copy of a file that the store has is about to be given up.</summary>
    void Leaving(string path, Stored stored, Entry entry);

    /// <summary>It was not given up.</summary>
    void Stayed(string path);
}
