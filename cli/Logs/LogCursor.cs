namespace Trestle.Cli.Logs;

/// <summary>
/// Where a reader is in one container's log, so that it can ask again after a cut and neither lose nor repeat a line.
/// The API resumes by whole seconds (sinceTime), so what comes again is dropped here: everything older than the newest
/// line seen, and as many lines of that very stamp as were already given out.
/// </summary>
internal sealed class LogCursor
{
    private string _newest = "";
    private string _newestStamp = "";
    private int _seenAtNewest;
    private bool _replaying;
    private int _toSkip;

    /// <summary>Value for sinceTime; null before the first line.</summary>
    public string? SinceTime => _newestStamp.Length == 0 ? null : _newestStamp;

    /// <summary>Call before reading a new answer to a request that began at <see cref="SinceTime"/>.</summary>
    public void Resume()
    {
        _replaying = _newest.Length > 0;
        _toSkip = _seenAtNewest;
    }

    /// <summary>True when the line is new.</summary>
    public bool Accept(LogLine line)
    {
        var order = line.Order;
        if (order.Length == 0)
        {
            return true;
        }

        if (_replaying)
        {
            var compared = string.CompareOrdinal(order, _newest);
            if (compared < 0 || (compared == 0 && _toSkip-- > 0))
            {
                return false;
            }

            _replaying = compared == 0;
        }

        _seenAtNewest = order == _newest ? _seenAtNewest + 1 : 1;
        _newest = order;
        _newestStamp = line.Stamp;
        return true;
    }
}
