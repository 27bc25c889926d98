namespace Trestle.CacheMount.Journal;

/// <summary>The ledger and its journal as one: what is taken in is appended in the same order. Safe for several threads.</summary>
internal sealed class Book : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Ledger _ledger;
    private readonly JournalFile _journal;

    private Book(string path, Ledger ledger, TimeProvider time)
    {
        _ledger = ledger;
        _journal = JournalFile.Open(path, Snapshot, time);
    }

    /// <summary>Bytes of the journal that could not be read at the start.</summary>
    public long DamagedBytes { get; private init; }

    /// <summary>Why the journal is not on disk; null when it is.</summary>
    public string? Trouble => _journal.Trouble;

    /// <summary>How long the last sync of the journal took.</summary>
    public TimeSpan LastSync => _journal.LastSync;

    /// <summary>Opens the journal, or begins one.</summary>
    /// <exception cref="IOException">The disk does not let us.</exception>
    public static Book Open(string path, TimeProvider time)
    {
        var ledger = new Ledger();
        var damaged = JournalFile.Read(path, ledger);
        return new Book(path, ledger, time) { DamagedBytes = damaged };
    }

    /// <summary>Looks something up; what is returned must not be a part of the ledger that changes.</summary>
    public T Read<T>(Func<Ledger, T> look)
    {
        lock (_lock) return look(_ledger);
    }

    /// <summary>Takes records in.</summary>
    /// <returns>Ends when they are on disk.</returns>
    public Task Record(params IReadOnlyList<JournalRecord> records) => Record(_ => records);

    /// <summary>Takes in what follows from the present state.</summary>
    /// <param name="decide">Gives the records; none when nothing is to be recorded.</param>
    public Task Record(Func<Ledger, IReadOnlyList<JournalRecord>> decide)
    {
        lock (_lock)
        {
            var records = decide(_ledger);
            foreach (var record in records) _ledger.Apply(record);
            return records.Count == 0 ? Task.CompletedTask : _journal.AppendAsync(records);
        }
    }

    public ValueTask DisposeAsync() => _journal.DisposeAsync();

    private List<JournalRecord> Snapshot()
    {
        lock (_lock) return [.. _ledger.Snapshot()];
    }
}
