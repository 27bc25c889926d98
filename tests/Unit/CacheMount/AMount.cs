using Microsoft.Extensions.Logging.Abstractions;
using Trestle.CacheMount.Checkpoints;
using Trestle.CacheMount.Directories;
using Trestle.CacheMount.Tests.Flush;
using Trestle.Testing;

namespace Trestle.CacheMount.Tests;

/// <summary>A mount on a temporary directory and a store in memory.</summary>
internal sealed class AMount : IAsyncDisposable
{
    private readonly TemporaryDirectory _cache = new();
    private readonly FrontSettings _front;
    private readonly long _size;
    private readonly Func<MountSettings, MountSettings> _change;

    public AMount(FrontSettings? front = null, MemoryStore? store = null, long size = 0, Func<MountSettings, MountSettings>? change = null)
    {
        (Store, _size, _change) = (store ?? new MemoryStore(), size, change ?? (settings => settings));
        _front = front ?? new FrontSettings { LookAgain = TimeSpan.FromMilliseconds(200) };
        Mount = Open();
    }

    /// <summary>The mount of one of several ranks of a job.</summary>
    public static AMount OfRank(int rank, int nodes, MemoryStore store, int attempt = 1, FrontSettings? front = null) =>
        new(front, store, change: settings => settings with { Writer = $"node-{rank}", Rank = rank, Nodes = nodes, Run = "job", Attempt = attempt, ShareEvery = TimeSpan.FromMilliseconds(20) });

    public MemoryStore Store { get; }

    public CachedMount Mount { get; private set; }

    public string this[string path] => Path.Combine(_cache.FullName, "files", path);

    /// <summary>What is being fetched.</summary>
    public string Staging => Path.Combine(_cache.FullName, "state", "incoming");

    /// <summary>The file of the journal.</summary>
    public string Journal => Path.Combine(_cache.FullName, "state", "journal");

    /// <summary>Checkpoints that a reader would find.</summary>
    public IReadOnlyList<Manifest> Manifests => [.. Store.Keys.Where(key => key.StartsWith(Manifest.Folder, StringComparison.Ordinal)).Select(key => Manifest.FromJson(Store.Content(key)!)!)];

    public IReadOnlyList<string> Objects => [.. Store.Keys.Where(key => !key.StartsWith(".trestle/", StringComparison.Ordinal))];

    public void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[path])!);
        File.WriteAllText(this[path], content);
    }

    public Task FlushAsync() => Mount.FlushAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

    public async Task StopAsync() => await Mount.DisposeAsync();

    public void Start() => Mount = Open();

    public async ValueTask DisposeAsync()
    {
        await Mount.DisposeAsync();
        _cache.Dispose();
    }

    private CachedMount Open() => CachedMount.Start(
        _change(new MountSettings(_cache.FullName) { Writer = "node-0", Size = _size, Flush = EngineFixture.Small, Front = _front }), Store, TimeProvider.System, NullLogger.Instance);
}
