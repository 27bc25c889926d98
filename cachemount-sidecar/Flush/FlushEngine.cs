using Microsoft.Extensions.Logging;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Flush;

/// <summary>
/// Brings operations to the store: contents of many files at once, visible in the order in which they were closed. Only trouble
/// with the store holds it up, and then it tries again until it is told to end.
/// </summary>
internal sealed class FlushEngine : IAsyncDisposable
{
    private const int MostFilesAtOnce = 64;

    private readonly Lock _lock = new();
    private readonly string _root;
    private readonly Book _book;
    private readonly IFlushOwner _owner;
    private readonly KeyClaims _claims;
    private readonly Uploader _uploader;
    private readonly LateWrites _late;
    private readonly FlushSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CommitOrder _order = new();
    private readonly Dictionary<long, FlushJob> _jobs = [];
    private readonly Queue<FlushJob> _waiting = new();
    private readonly Dictionary<long, Task> _parked = [];
    private readonly List<FlushWaiter> _waiters = [];
    private readonly SemaphoreSlim _signal = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<Task> _running = [];
    private Task _committing = Task.CompletedTask;
    private int _atWork;

    /// <param name="root">The directory of the files.</param>
    /// <param name="writer">Who writes.</param>
    /// <param name="store">Where to.</param>
    /// <param name="traits">What it is like.</param>
    /// <param name="book">What is to be done and what is done.</param>
    /// <param name="owner">Decides what the engine can't.</param>
    /// <param name="settings">Its sizes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Its log.</param>
    public FlushEngine(string root, ObjectWriter writer, IObjectStore store, Func<CancellationToken, Task<StoreTraits>> traits, Book book, IFlushOwner owner, FlushSettings settings, TimeProvider time, ILogger log)
    {
        (_root, _book, _owner, _settings, _time, _log) = (root, book, owner, settings, time, log);
        Window = new PartWindow(new Congestion(settings.FirstParts, settings.MostParts));
        _claims = new KeyClaims(writer, store, book, traits);
        _uploader = new Uploader(root, _claims, store, book, Window, Counters, settings, time);
        _late = new LateWrites(_claims, store, book, Counters, settings, time);
    }

    /// <summary>What it has done.</summary>
    public Counters Counters { get; } = new();

    /// <summary>Parts under way.</summary>
    public PartWindow Window { get; }

    /// <summary>Goes on with what the book says is pending.</summary>
    public void Start()
    {
        lock (_lock)
        {
            foreach (var operation in _book.Read(ledger => ledger.Pending.ToArray())) Admit(operation);
            _committing = Task.Run(CommitAllAsync);
            Run(() => _uploader.AbortAbandonedAsync(_stop.Token));
            Pump();
        }
    }

    /// <summary>A file was closed.</summary>
    /// <returns>Ends when the journal has it.</returns>
    public Task StoreAsync(string path, Fingerprint file) => Submit(path, (sequence, _) => new Closed(sequence, path, file));

    /// <summary>A file was removed. Nothing happens when the store was never asked to take it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isForeign">True: the store has it from somebody else.</param>
    public Task RemoveAsync(string path, bool isForeign = false) => Submit(path, (sequence, ledger) =>
        isForeign || ledger.StoredFiles.ContainsKey(path) || ledger.PendingOf(path) is Store ? new Removed(sequence, path, isForeign) : null);

    /// <summary>A checkpoint is finished; or it is broken, which must be said before what breaks it.</summary>
    public Task PublishAsync(string path, bool isBroken = false)
    {
        lock (_lock)
        {
            var known = _book.Read(ledger => ledger.PublicationOf(path));
            Operation? operation = null;
            var synced = _book.Record(ledger =>
            {
                operation = new Publish(ledger.NextSequence(), path, isBroken);
                return [new CheckpointFinished(operation.Sequence, path, isBroken)];
            });
            Replace(known, operation!);
            return synced;
        }
    }

    /// <summary>Waits until everything submitted so far is in the store.</summary>
    public Task FlushAsync(CancellationToken ct)
    {
        FlushWaiter waiter;
        lock (_lock)
        {
            waiter = new FlushWaiter { Target = _book.Read(ledger => ledger.LastSequence) };
            _waiters.Add(waiter);
            Settle();
        }

        return waiter.Done.Task.WaitAsync(ct);
    }

    /// <summary>What holds the first operation up; null when nothing does.</summary>
    public string? Trouble()
    {
        lock (_lock) return _order.First is { } first ? _jobs[first].Trouble : null;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Task[] running;
        lock (_lock) running = [_committing, .. _running, .. _parked.Values];
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _signal.Dispose();
    }

    private Task Submit(string path, Func<long, Ledger, JournalRecord?> decide)
    {
        lock (_lock)
        {
            var known = _book.Read(ledger => ledger.PendingOf(path));
            var synced = _book.Record(ledger => decide(ledger.LastSequence + 1, ledger) is { } record ? [record] : []);
            if (_book.Read(ledger => ledger.PendingOf(path)) is { } operation && operation.Sequence != known?.Sequence) Replace(known, operation);
            return synced;
        }
    }

    // Whoever waits for the older operation waits for the newer one.
    private void Replace(Operation? older, Operation newer)
    {
        Admit(newer); // first, or for a moment there would be nothing to wait for
        if (older is not null)
        {
            foreach (var waiter in _waiters.Where(waiter => waiter.Target >= older.Sequence)) waiter.Target = Math.Max(waiter.Target, newer.Sequence);
            Drop(older.Sequence);
            if (older is Store) Run(() => _uploader.AbortAbandonedAsync(_stop.Token));
        }

        Pump();
    }

    private void Admit(Operation operation)
    {
        var job = new FlushJob(operation, _time.GetTimestamp(), _stop.Token);
        _jobs[operation.Sequence] = job;
        _order.Add(operation.Sequence);
        _waiting.Enqueue(job);
    }

    private void Drop(long sequence)
    {
        _order.Remove(sequence);
        if (_jobs.Remove(sequence, out var job))
        {
            if (job.IsStarted) _atWork--;
            job.Cancel();
        }

        Settle();
        if (_signal.CurrentCount == 0) _signal.Release();
    }

    private void Settle()
    {
        _waiters.RemoveAll(waiter => _order.IsDoneUpTo(waiter.Target) && _parked.Count == 0 && waiter.Done.TrySetResult());
    }

    // In order: the first operation is always among those at work.
    private void Pump()
    {
        while (_atWork < MostFilesAtOnce && _waiting.TryDequeue(out var job))
        {
            if (!_jobs.ContainsKey(job.Operation.Sequence)) continue;
            _atWork++;
            job.IsStarted = true;
            if (job.Operation is Store store && !_uploader.IsDirect(store)) Run(() => PrepareAsync(job));
            else MarkReady(job);
        }
    }

    private void MarkReady(FlushJob job)
    {
        if (_order.Ready(job.Operation.Sequence) && _signal.CurrentCount == 0) _signal.Release();
    }

    private void Run(Func<Task> work)
    {
        var task = Task.Run(work);
        _running.Add(task);
        _ = task.ContinueWith(
            done =>
            {
                lock (_lock) _running.Remove(done);
                if (done.Exception is { } broken) FlushLog.Broke(_log, broken);
            },
            CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private async Task PrepareAsync(FlushJob job)
    {
        var store = (Store)job.Operation;
        await TryUntilDoneAsync(job, async () =>
        {
            await _uploader.PrepareAsync(store, trouble => job.Trouble = trouble, job.Token);
            lock (_lock) MarkReady(job);
        });
    }

    private async Task CommitAllAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            FlushJob? job;
            lock (_lock) job = _order.Next is { } next ? _jobs[next] : null;
            if (job is null)
            {
                await _signal.WaitAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            await TryUntilDoneAsync(job, () => CommitAsync(job));
        }
    }

    private async Task CommitAsync(FlushJob job)
    {
        switch (job.Operation)
        {
            case Store store:
                // Everything is sent already, unless the store has lost it.
                await _uploader.PrepareAsync(store, trouble => job.Trouble = trouble, job.Token);
                var completed = await _late.WatchAsync(store, () => _uploader.CommitAsync(store, job.Token));
                Counters.Visible(_time.GetElapsedTime(job.Since));
                await EndAsync(job, completed);
                break;
            case Remove remove:
                // It may be there again, and its close not yet seen.
                var isBack = Libc.Stat(Path.Combine(_root, remove.Path)) is not null;
                if (!isBack) await _claims.RemoveAsync(remove.Path, remove.IsForeign, job.Token);
                await EndAsync(job, new Settled(remove.Sequence, remove.Path, IsGone: !isBack));
                break;
            case Publish publish when await _owner.PublishAsync(publish, job.Token) is var outcome and not Publication.NotYet:
                Conclude(job, new CheckpointPublished(publish.Sequence, publish.Path, outcome == Publication.Gone));
                break;
            case Publish publish:
                Park(job, publish);
                break;
        }
    }

    private async Task EndAsync(FlushJob job, JournalRecord record)
    {
        var mayComeLate = await _late.MayComeAsync(record.Path, record.Sequence, job.Token);
        lock (_lock)
        {
            if (mayComeLate) Verify(record.Path, record.Sequence);
            Conclude(job, record);
        }
    }

    // Whoever waits for a flush waits for this too.
    private void Verify(string path, long sequence)
    {
        _parked[sequence] = Task.Run(async () =>
        {
            var isLate = await _late.HasComeAsync(path, _stop.Token);
            lock (_lock)
            {
                _parked.Remove(sequence);
                if (isLate)
                {
                    _ = _book.Read(ledger => ledger.StoredFiles.GetValueOrDefault(path)) is { } stored ? StoreAsync(path, stored.File) : RemoveAsync(path, isForeign: true);
                    _waiters.ForEach(waiter => waiter.Target = _book.Read(ledger => ledger.LastSequence));
                }

                Settle();
            }
        });
    }

    private void Conclude(FlushJob job, JournalRecord record)
    {
        lock (_lock)
        {
            if (!_jobs.ContainsKey(job.Operation.Sequence)) return; // replaced meanwhile
            _ = _book.Record(record);
            Finish(job);
        }
    }

    private void Finish(FlushJob job)
    {
        Drop(job.Operation.Sequence);
        Pump();
    }

    // Files of it are still being written: it takes its turn again later, and does not hold others up.
    private void Park(FlushJob job, Publish publish)
    {
        lock (_lock)
        {
            if (!_jobs.ContainsKey(publish.Sequence)) return;
            _parked[publish.Sequence] = Task.Run(async () =>
            {
                await Task.Delay(_settings.PublishAgainAfter, _time, _stop.Token);
                lock (_lock)
                {
                    _parked.Remove(publish.Sequence);
                    if (_book.Read(ledger => ledger.PublicationOf(publish.Path)?.Sequence) == publish.Sequence) _ = PublishAsync(publish.Path);
                    else Settle(); // finished anew or broken meanwhile
                }
            });
            Finish(job);
        }
    }

    // One way out for everything that can go wrong with an operation: again, begin anew, or let its owner decide.
    private async Task TryUntilDoneAsync(FlushJob job, Func<Task> work)
    {
        var backoff = _uploader.NewBackoff();
        while (!job.Token.IsCancellationRequested)
        {
            try
            {
                await work();
                job.Trouble = null;
                return;
            }
            catch (Exception error) when (error is StaleFileException or StoreException { Problem: StoreProblem.Corrupt })
            {
                await LetGoAsync(job);
                return;
            }
            catch (StoreException error)
            {
                Report(job, error.Code, error.Message);
                if (error.Problem is StoreProblem.NoSuchUpload or StoreProblem.WrongParts)
                {
                    _uploader.Abandon(job.Operation);
                    await _uploader.AbortAbandonedAsync(_stop.Token);
                }
            }
            catch (OperationCanceledException)
            {
                break;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                Report(job, "file", $"{job.Operation.Path} can't be read: {error.Message}");
            }

            await Task.Delay(backoff.Next(), _time, job.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _uploader.AbortAbandonedAsync(_stop.Token);
    }

    private void Report(FlushJob job, string code, string message)
    {
        Counters.Retried(code);
        if (job.Trouble is null) FlushLog.Trouble(_log, job.Operation.Path, message);
        job.Trouble = message;
    }

    private async Task LetGoAsync(FlushJob job)
    {
        await _owner.RecheckAsync(job.Operation.Path);
        Conclude(job, new Settled(job.Operation.Sequence, job.Operation.Path, IsGone: false));
        await _uploader.AbortAbandonedAsync(_stop.Token);
    }
}
