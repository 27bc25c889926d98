namespace Trestle.CacheMount.Directories;

/// <summary>Files that are looked at again, each with the reason. Whoever calls holds the front's lock.</summary>
/// <param name="settings">How long each waits.</param>
/// <param name="time">The clock.</param>
internal sealed class LaterLooks(FrontSettings settings, TimeProvider time)
{
    private readonly Dictionary<string, (long Due, Reason Why)> _files = new(StringComparer.Ordinal);

    private enum Reason
    {
        /// <summary>It has a temporary name.</summary>
        IsTemporary,

        /// <summary>Somebody is writing it.</summary>
        IsOpen,

        /// <summary>It was closed by one and is open by another.</summary>
        IsStillOpen,

        /// <summary>Whether somebody is writing it can't be told.</summary>
        IsUnsure,
    }

    /// <summary>Files that somebody is writing, or may be.</summary>
    public int Open => _files.Values.Count(file => file.Why != Reason.IsTemporary);

    /// <summary>Files of temporary names.</summary>
    public int Held => _files.Values.Count(file => file.Why == Reason.IsTemporary);

    /// <summary>Files of which it can't be told whether somebody is writing them.</summary>
    public int Unsure => _files.Values.Count(file => file.Why == Reason.IsUnsure);

    /// <summary>A file of a temporary name is taken as it is when it stays.</summary>
    public void Hold(string path) => _files.TryAdd(path, (After(settings.HoldTemporary), Reason.IsTemporary));

    /// <summary>Somebody is writing a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="wasClosed">Another one has just closed it.</param>
    public void AddOpen(string path, bool wasClosed = false) => _files[path] = (After(settings.LookAgain), wasClosed || IsStillOpen(path) ? Reason.IsStillOpen : Reason.IsOpen);

    /// <summary>Whether somebody is writing a file can't be told.</summary>
    public void AddUnsure(string path) => _files[path] = (After(settings.Quiet), Reason.IsUnsure);

    /// <summary>Whether a file was closed by one and found open by another.</summary>
    public bool IsStillOpen(string path) => _files.TryGetValue(path, out var known) && known.Why == Reason.IsStillOpen;

    /// <summary>Whether one of those at or below a path waits.</summary>
    public bool Any(string path) => _files.Keys.Any(waiting => NameRules.IsAtOrBelow(waiting, path));

    /// <summary>What it is time for.</summary>
    public IReadOnlyList<string> Due()
    {
        var now = time.GetTimestamp();
        return [.. _files.Where(file => file.Value.Due <= now).Select(file => file.Key)];
    }

    /// <summary>A file was taken or is not there.</summary>
    public void Remove(string path) => _files.Remove(path);

    /// <summary>What was at or below a path is not there.</summary>
    public void RemoveAll(string path)
    {
        foreach (var gone in _files.Keys.Where(waiting => NameRules.IsAtOrBelow(waiting, path)).ToList()) _files.Remove(gone);
    }

    private long After(TimeSpan wait) => time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
}
