using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Trestle.CacheMount.Flush;
using Trestle.CacheMount.Journal;
using Trestle.CacheMount.Stores;

namespace Trestle.CacheMount.Checkpoints;

/// <summary>
/// How the ranks of a job make one manifest. Each puts what it has written of a checkpoint into the store as its share; one that sees that
/// another has finished a checkpoint does so when its own files are there, or when it is known to write none. Whoever sees that no share is missing writes the manifest.
/// </summary>
/// <param name="me">Which rank this is.</param>
/// <param name="writer">Name of this rank, for people.</param>
/// <param name="store">Where shares are.</param>
/// <param name="manifests">Where manifests are.</param>
/// <param name="book">What this rank has stored.</param>
/// <param name="source">Knows its files.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Its log.</param>
internal sealed class ShareBoard(WriterRank me, string writer, IObjectStore store, ManifestStore manifests, Book book, IShareSource source, TimeProvider time, ILogger log) : IDisposable
{
    private readonly ShareSum _sum = new(me.Nodes);
    private readonly Dictionary<string, (string ETag, CheckpointShare? Share)> _read = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, CheckpointShare> _offers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Manifest> _listed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, IReadOnlyList<string>> _broken = new(StringComparer.Ordinal);

    // What is said and what is taken back must not overtake each other.
    private readonly SemaphoreSlim _saying = new(1);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isEnding;
    private bool _wrote;

    /// <summary>Checkpoints that are finished and not listed, with the ranks whose shares are missing.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> Missing { get; private set; } = new Dictionary<string, IReadOnlyList<int>>();

    /// <summary>Bytes of all ranks of a checkpoint that is listed; null when that is not known.</summary>
    public long? BytesOf(string name) => _listed.TryGetValue(name, out var manifest) ? manifest.Bytes : null;

    /// <inheritdoc/>
    public void Dispose() => _saying.Dispose();

    /// <summary>Looks again and again until told to end. Trouble with the store is waited out.</summary>
    public async Task RunAsync(TimeSpan every, CancellationToken ct)
    {
        var isClean = false;
        var isTroubled = false;
        using var timer = new PeriodicTimer(every, time);
        do
        {
            try
            {
                if (!isClean) await CleanUpAsync(ct);
                isClean = true;
                await LookAsync(ct);
                isTroubled = false;
            }
            catch (Exception error) when (!ct.IsCancellationRequested)
            {
                if (!isTroubled) ShareLog.Trouble(log, error.Message);
                isTroubled = true;
            }
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    /// <summary>This rank has finished a checkpoint, and all of its own files are in the store.</summary>
    /// <returns>Published: the checkpoint is listed, with the files of all ranks. Gone: a file of another rank never gets into the store.</returns>
    public async Task<Publication> OfferAsync(string name, IReadOnlyList<ManifestFile> files, CancellationToken ct)
    {
        if (_offers.GetValueOrDefault(name) is not { } offer || !offer.Files.SequenceEqual(files))
        {
            // An earlier process may have been killed when it was done.
            if (await manifests.ReadAsync(name, ct) is { } known && IsOurs(known) && files.All(known.Files.Contains))
            {
                _listed[name] = known;
                return Publication.Published;
            }

            offer = new CheckpointShare(name, me.Index, Guid.NewGuid().ToString("N")[..12], [], time.GetUtcNow(), files) { Writer = writer };
            using (await SayAsync(ct))
            {
                await WriteAsync(offer, ct);
                _offers[name] = offer;
            }
        }

        return _listed.GetValueOrDefault(name)?.Finishes?.Contains(offer.Finish!) == true ? Publication.Published
            : _broken.GetValueOrDefault(name)?.Contains(offer.Finish!) == true ? Publication.Gone
            : Publication.NotYet;
    }

    /// <summary>What this rank has written of a checkpoint is not what it said any more.</summary>
    public async Task WithdrawAsync(string name, CancellationToken ct)
    {
        using (await SayAsync(ct))
        {
            _offers.TryRemove(name, out _);
            _listed.TryRemove(name, out _);
            _broken.TryRemove(name, out _);
            await store.DeleteAsync(KeyOf(name, me.Index), ct);
        }
    }

    /// <summary>This rank writes nothing any more: said as soon as all it wrote is in the store.</summary>
    public void End() => _isEnding = true;

    /// <summary>Waits until that has been said.</summary>
    public Task EndedAsync(CancellationToken ct) => _ended.Task.WaitAsync(ct);

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken ct)
    {
        var shares = await ReadAsync(ct);
        await RepeatAsync(shares, ct);
        var missing = new Dictionary<string, IReadOnlyList<int>>(StringComparer.Ordinal);
        IReadOnlySet<int>? ended = null;
        foreach (var of in shares.GroupBy(share => share.Name, StringComparer.Ordinal))
        {
            var all = of.ToList();
            if (ShareSum.Finishes(all).Count == 0) continue;
            if (await AnswerAsync(of.Key, all, shares, ct) is { } answer) all = [.. all.Where(share => share.Rank != me.Index), answer];
            if (all.Exists(share => share.IsBroken))
            {
                if (!_broken.ContainsKey(of.Key)) ShareLog.Broken(log, of.Key, all.First(share => share.IsBroken).Rank);
                _broken[of.Key] = ShareSum.Finishes(all);
                continue;
            }

            _broken.TryRemove(of.Key, out _);
            if (_sum.Missing(all, new HashSet<int>()).Count > 0) ended ??= await ReadEndsAsync(ct);
            if (_sum.Missing(all, ended ?? new HashSet<int>()) is { Count: > 0 } left) missing[of.Key] = left;
            else if (!await ListAsync(of.Key, all, ct)) missing[of.Key] = [];
        }

        Missing = missing;
        await ForgetAsync(shares, ct);
        if (_isEnding && !_ended.Task.IsCompleted) await EndAsync(shares, ct);
    }

    private string KeyOf(string name, int rank) => CheckpointShare.KeyOf(me.Run, me.Attempt, name, rank);

    private bool IsOurs(Manifest manifest) => manifest.Run == me.Run && manifest.Attempt == me.Attempt;

    private async Task<List<CheckpointShare>> ReadAsync(CancellationToken ct)
    {
        var listed = new List<StoredObject>();
        await foreach (var found in store.ListAsync(CheckpointShare.Folder(me.Run, me.Attempt), ct)) listed.Add(found);
        foreach (var gone in _read.Keys.Except(listed.Select(found => found.Key)).ToList()) _read.Remove(gone);
        foreach (var found in listed.Where(found => !_read.TryGetValue(found.Key, out var known) || known.ETag != found.ETag))
        {
            try
            {
                var share = await SmallObject.ReadAsync(store, found, ct) is { } bytes ? CheckpointShare.FromJson(bytes) : null;
                _read[found.Key] = (found.ETag, share is not null && share.Rank < me.Nodes && KeyOf(share.Name, share.Rank) == found.Key ? share : null);
            }
            catch (StoreException error) when (error.Problem is StoreProblem.NotFound or StoreProblem.Changed)
            {
                _read.Remove(found.Key); // the next look sees what it is now
            }
        }

        var shares = _read.Values.Select(read => read.Share).OfType<CheckpointShare>().ToList();
        _wrote |= shares.Exists(share => share.Rank == me.Index && share.Files.Count > 0);
        return shares;
    }

    // A request that was given up may be done by the store after the one that followed it.
    private async Task RepeatAsync(List<CheckpointShare> shares, CancellationToken ct)
    {
        foreach (var (name, offer) in _offers.Where(said => !_listed.ContainsKey(said.Key) && !shares.Exists(share => share.Rank == me.Index && share.Finish == said.Value.Finish)))
        {
            using (await SayAsync(ct))
            {
                if (ReferenceEquals(_offers.GetValueOrDefault(name), offer)) await WriteAsync(offer, ct);
            }
        }
    }

    // Null: nothing is to be said, or nothing is known yet.
    private async Task<CheckpointShare?> AnswerAsync(string name, List<CheckpointShare> shares, List<CheckpointShare> others, CancellationToken ct)
    {
        var finishes = ShareSum.Finishes(shares);
        var own = shares.Find(share => share.Rank == me.Index);
        if (own?.Finish is not null || (own is not null && finishes.All(own.Answers.Contains))) return null;
        using (await SayAsync(ct))
        {
            if (book.Read(ledger => ledger.PublicationOf(name)) is not null) return null; // it says so by itself
            if (await source.FilesOfAsync(name) is not { } files || (files is { Files.Count: 0, IsBroken: false } && MayCome(name, shares, others))) return null;
            return await SayAsync(name, files, finishes, ct);
        }
    }

    // A rank that writes checkpoints may be late with this one, unless it is a file, or its marker, which is written after all files, or a later one is there.
    private bool MayCome(string name, List<CheckpointShare> shares, List<CheckpointShare> others) =>
        _wrote && !_isEnding && !shares.Exists(share => share.Finish is not null && share.Files.Any(file => file.Path == name || CheckpointRules.IsSign(file.Path)))
        && !others.Exists(other => other.Name != name && other.Finish is not null && other.At > shares.Max(share => share.At));

    private async Task<CheckpointShare> SayAsync(string name, OwnFiles files, IReadOnlyList<string> answers, CancellationToken ct)
    {
        var share = new CheckpointShare(name, me.Index, null, answers, time.GetUtcNow(), files.Files) { Writer = writer, IsBroken = files.IsBroken };
        await WriteAsync(share, ct);
        return share;
    }

    private async Task<IDisposable> SayAsync(CancellationToken ct)
    {
        await _saying.WaitAsync(ct);
        return new Turn(_saying);
    }

    private async Task WriteAsync(CheckpointShare share, CancellationToken ct)
    {
        _wrote |= share.Files.Count > 0;
        await SmallObject.WriteAsync(store, KeyOf(share.Name, share.Rank), share.ToJson(), new Dictionary<string, string>(StringComparer.Ordinal), ct);
    }

    // False: a file is in the store as none of the ranks that wrote it has told.
    private async Task<bool> ListAsync(string name, List<CheckpointShare> shares, CancellationToken ct)
    {
        var finishes = ShareSum.Finishes(shares);
        var known = _listed.GetValueOrDefault(name);
        if (known?.Finishes?.SequenceEqual(finishes, StringComparer.Ordinal) != true) known = await manifests.ReadAsync(name, ct);
        if (known is null || !IsOurs(known) || known.Finishes?.SequenceEqual(finishes, StringComparer.Ordinal) != true)
        {
            var stored = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var path in ShareSum.Disputed(shares)) stored[path] = (await store.HeadAsync(path, ct))?.ETag ?? "";
            known = _sum.Manifest(shares, me.Run, me.Attempt, stored);
            if (known is null) return false;
            if (!await manifests.WriteAsync(known, ct)) return false;
            ShareLog.Whole(log, name, me.Nodes, known.Bytes);
        }

        _listed[name] = known;
        _ = book.Record(ledger => ledger.PublicationOf(name) is null && !ledger.Published.ContainsKey(name) ? [new CheckpointPublished(ledger.NextSequence(), name)] : []);
        return true;
    }

    // The share of the newest one stays: a rank that has ended can't say it again.
    private async Task ForgetAsync(List<CheckpointShare> shares, CancellationToken ct)
    {
        var listed = shares.Where(share => share.Rank == me.Index && _listed.ContainsKey(share.Name) && !Missing.ContainsKey(share.Name)).OrderByDescending(share => share.At).ToList();
        foreach (var old in listed.Skip(1)) await store.DeleteAsync(KeyOf(old.Name, me.Index), ct);
    }

    private async Task<IReadOnlySet<int>> ReadEndsAsync(CancellationToken ct)
    {
        var ended = new HashSet<int>();
        var folder = CheckpointShare.EndFolder(me.Run, me.Attempt);
        await foreach (var found in store.ListAsync(folder, ct))
        {
            if (int.TryParse(found.Key.AsSpan(folder.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var rank)) ended.Add(rank);
        }

        return ended;
    }

    private async Task EndAsync(List<CheckpointShare> shares, CancellationToken ct)
    {
        if (source.Unlisted() is not { } names) return;
        foreach (var name in names.Where(name => !_offers.ContainsKey(name) && !_listed.ContainsKey(name)))
        {
            if (await source.FilesOfAsync(name) is not { } files) return;
            await SayAsync(name, files, ShareSum.Finishes(shares.Where(share => share.Name == name)), ct);
        }

        await SmallObject.WriteAsync(store, OwnEnd, ReadOnlyMemory<byte>.Empty, new Dictionary<string, string>(StringComparer.Ordinal), ct);
        _ended.TrySetResult();
    }

    private string OwnEnd => CheckpointShare.EndFolder(me.Run, me.Attempt) + me.Index.ToString(CultureInfo.InvariantCulture);

    // A rank that is served again goes on to write; and what an earlier attempt of it left says nothing any more.
    private async Task CleanUpAsync(CancellationToken ct)
    {
        await store.DeleteAsync(OwnEnd, ct);
        var folder = CheckpointShare.Folder(me.Run);
        var old = new List<string>();
        await foreach (var found in store.ListAsync(folder, ct))
        {
            if (found.Key[folder.Length..].Split('/') is [var attempt, .., var file] && file == string.Create(CultureInfo.InvariantCulture, $"{me.Index}.json")
                && int.TryParse(attempt, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < me.Attempt) old.Add(found.Key);
        }

        foreach (var key in old) await store.DeleteAsync(key, ct);
    }

    private sealed class Turn(SemaphoreSlim of) : IDisposable
    {
        public void Dispose() => of.Release();
    }
}
