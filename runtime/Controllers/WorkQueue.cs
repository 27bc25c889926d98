using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Trestle.Runtime;

/// <summary>
/// Keys to work on. A key is in the queue once however often it is added, is never handed to two workers at a time, and is
/// handed out again when it was added while being worked on.
/// </summary>
[SuppressMessage("Naming", "CA1711", Justification = "It is a queue")]
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3650);
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1); // timers take 49 days at most
    private readonly Lock _lock = new();
    private readonly Channel<TKey> _ready = Channel.CreateUnbounded<TKey>();
    private readonly HashSet<TKey> _waiting = [];
    private readonly HashSet<TKey> _working = [];
    private readonly PriorityQueue<TKey, TimeSpan> _delayed = new();
    private readonly Dictionary<TKey, TimeSpan> _due = [];
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly ITimer _timer;
    private readonly TimeSpan _firstBackoff;
    private readonly TimeSpan _longestBackoff;

    /// <param name="time">Clock of delays.</param>
    /// <param name="firstBackoff">Wait after the first failure; doubles with every further one.</param>
    /// <param name="longestBackoff">The longest wait; tries go on for ever.</param>
    public WorkQueue(TimeProvider time, TimeSpan firstBackoff, TimeSpan longestBackoff)
    {
        _time = time;
        _origin = time.GetTimestamp();
        _firstBackoff = firstBackoff;
        _longestBackoff = longestBackoff;
        _timer = time.CreateTimer(_ => MoveDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    // Monotonic: a wall clock that is set back must not make a key wait.
    private TimeSpan Now => _time.GetElapsedTime(_origin);

    /// <summary>Keys that wait to be worked on now.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _waiting.Count;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    /// <summary>Adds a key now.</summary>
    public void Add(TKey key)
    {
        lock (_lock) AddLocked(key);
    }

    /// <summary>Adds a key later; of several times the earliest holds.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        lock (_lock)
        {
            if (delay <= TimeSpan.Zero)
            {
                AddLocked(key);
                return;
            }

            var due = Now + (delay < Longest ? delay : Longest);
            if (_due.TryGetValue(key, out var known) && known <= due) return;
            _due[key] = due;
            _delayed.Enqueue(key, due);
            Arm();
        }
    }

    /// <summary>Adds a key after a wait that grows with its failures; gives the wait.</summary>
    public TimeSpan AddAfterFailure(TKey key)
    {
        TimeSpan wait;
        lock (_lock)
        {
            var failures = _failures[key] = _failures.GetValueOrDefault(key) + 1;
            var grown = _firstBackoff * Math.Pow(2, Math.Min(failures - 1, 30));
            wait = grown < _longestBackoff ? grown : _longestBackoff;
        }

        AddAfter(key, wait);
        return wait;
    }

    /// <summary>The key did well: its next failure waits the first time again.</summary>
    public void Forget(TKey key)
    {
        lock (_lock) _failures.Remove(key);
    }

    /// <summary>The next key; call <see cref="Done"/> with it after the work.</summary>
    public async ValueTask<TKey> TakeAsync(CancellationToken ct)
    {
        var key = await _ready.Reader.ReadAsync(ct);
        lock (_lock)
        {
            _waiting.Remove(key);
            _working.Add(key);
        }

        return key;
    }

    /// <summary>The work on a key has ended.</summary>
    public void Done(TKey key)
    {
        lock (_lock)
        {
            _working.Remove(key);
            if (_waiting.Contains(key)) _ready.Writer.TryWrite(key);
        }
    }

    private void AddLocked(TKey key)
    {
        // A key that is being worked on goes back into the channel when it is done.
        if (_waiting.Add(key) && !_working.Contains(key)) _ready.Writer.TryWrite(key);
    }

    private void MoveDue()
    {
        lock (_lock)
        {
            var now = Now;
            while (_delayed.TryPeek(out var key, out var due) && due <= now)
            {
                _delayed.Dequeue();
                if (!_due.TryGetValue(key, out var current) || current != due) continue; // an earlier time took its place
                _due.Remove(key);
                AddLocked(key);
            }

            Arm();
        }
    }

    private void Arm()
    {
        if (!_delayed.TryPeek(out _, out var next)) return;
        var wait = next - Now;
        _timer.Change(wait < TimeSpan.Zero ? TimeSpan.Zero : wait < LongestTimer ? wait : LongestTimer, Timeout.InfiniteTimeSpan);
    }
}
