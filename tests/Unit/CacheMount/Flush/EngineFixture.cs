using Microsoft.Extensions.Logging.Abstractions;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Native;
using Trestle.CacheMount.Stores;
using Trestle.Testing;

namespace Trestle.CacheMount.Tests.Flush;

/// <summary>A flush engine on a temporary directory and a store in memory, whose files are closed by the test.</summary>
internal sealed class EngineFixture : IFlushOwner, IAsyncDisposable
{
    /// <summary>Small sizes: a file of more than 4 bytes goes in parts of 8.</summary>
    public static readonly FlushSettings Small = new() { DirectSize = 4, SmallestPart = 8, FirstPause = TimeSpan.FromMilliseconds(1), LongestPause = TimeSpan.FromMilliseconds(5), PublishAgainAfter = TimeSpan.FromMilliseconds(5), VerifyAfter = TimeSpan.FromMilliseconds(500) };

    private readonly TemporaryDirectory _files = new();
    private readonly TemporaryDirectory _state = new();

    public EngineFixture(MemoryStore? store = null)
    {
        Store = store ?? new MemoryStore();
        Open();
    }

    public MemoryStore Store { get; }

    public Book Book { get; private set; } = null!;

    public FlushEngine Engine { get; private set; } = null!;

    /// <summary>What the owner of the engine says of a stale file.</summary>
    public Func<string, Task> OnRecheck { get; set; } = _ => Task.CompletedTask;

    public Func<Publish, Task<Publication>> OnPublish { get; set; } = _ => Task.FromResult(Publication.Published);

    public string this[string path] => _files[path];

    public string JournalPath => _state["journal"];

    public Task RecheckAsync(string path) => OnRecheck(path);

    public Task<Publication> PublishAsync(Publish operation, CancellationToken ct) => OnPublish(operation);

    /// <summary>Writes a file and says that it was closed.</summary>
    public Task CloseAsync(string path, string content)
    {
        _files.Write(path, content);
        return Engine.StoreAsync(path, Look(path));
    }

    public Fingerprint Look(string path) => Libc.Stat(_files[path])!.Value.File;

    public Task FlushAsync() => Engine.FlushAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>Ends the engine where it is and starts another one on what is left.</summary>
    public async Task RestartAsync()
    {
        await Engine.DisposeAsync();
        await Book.DisposeAsync();
        Open();
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await Book.DisposeAsync();
        _files.Dispose();
        _state.Dispose();
    }

    private void Open()
    {
        Book = Book.Open(JournalPath, TimeProvider.System);
        Engine = new FlushEngine(_files.FullName, new ObjectWriter("node", "node"), Store, _ => Task.FromResult(new StoreTraits(Store.KnowsConditions, DateTimeOffset.UnixEpoch)), Book, this, Small, TimeProvider.System, NullLogger.Instance);
        Engine.Start();
    }
}
