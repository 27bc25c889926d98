namespace Trestle.Node;

/// <summary>
/// Watches the files that change while a rank gets on. Times are since a change was seen here, by a clock that never jumps; what
/// the files say of their own times is only compared.
/// </summary>
/// <param name="directory">Where launch.sh and the user's code leave their signs.</param>
/// <param name="time">The clock.</param>
internal sealed class SignsOfLife(string directory, TimeProvider time)
{
    // Output of run, output of setup.
    private static readonly string[] Outputs = ["output", "setup.log"];
    private const string Heartbeat = "heartbeat";

    private readonly Dictionary<string, (long Length, DateTime Written)?> _seen = [];
    private long _aliveAt = time.GetTimestamp();
    private long? _touchedAt;

    /// <summary>How long there was no output and no touch.</summary>
    public TimeSpan Silent => time.GetElapsedTime(_aliveAt);

    /// <summary>How long there was no touch; null when there never was one.</summary>
    public TimeSpan? Untouched => _touchedAt is { } at ? time.GetElapsedTime(at) : null;

    /// <summary>Looks at the files.</summary>
    public void Look()
    {
        foreach (var name in Outputs)
        {
            if (HasChanged(name)) _aliveAt = time.GetTimestamp();
        }

        if (HasChanged(Heartbeat)) _touchedAt = _aliveAt = time.GetTimestamp();
    }

    private bool HasChanged(string name)
    {
        var file = new FileInfo(Path.Combine(directory, name));
        (long, DateTime)? now = file.Exists ? (file.Length, file.LastWriteTimeUtc) : null;
        var changed = now != _seen.GetValueOrDefault(name);
        _seen[name] = now;
        return changed && now is not null;
    }
}
