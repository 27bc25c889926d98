using Trestle.Api.Launch;
using Trestle.CacheMount;

namespace Trestle.Node;

/// <summary>Checkpoints of a mount that became durable since it was started, with the time at which that was seen. What was fetched is none of them.</summary>
internal sealed class PublishedCheckpoints(CachedMount mount, TimeProvider time)
{
    private readonly Dictionary<string, long> _before = mount.Book.Read(ledger => ledger.Published.ToDictionary());
    private readonly Dictionary<string, (long Sequence, DurableCheckpoint Checkpoint)> _seen = new(StringComparer.Ordinal);

    /// <summary>The newest, first.</summary>
    public IReadOnlyList<DurableCheckpoint> Newest(int most)
    {
        var adopted = mount.Front.Adopted;
        var published = mount.Book.Read(ledger => ledger.Published
            .Where(known => _before.GetValueOrDefault(known.Key) != known.Value && adopted.GetValueOrDefault(known.Key) != known.Value)
            .Select(known => (known.Key, Sequence: known.Value, Bytes: _seen.GetValueOrDefault(known.Key).Sequence == known.Value ? 0 : ledger.StoredFiles.Where(file => file.Key == known.Key || file.Key.StartsWith(known.Key + "/", StringComparison.Ordinal)).Sum(file => file.Value.File.Size)))
            .ToList());
        foreach (var gone in _seen.Keys.Except(published.Select(known => known.Key)).ToList()) _seen.Remove(gone);
        foreach (var (path, sequence, bytes) in published)
        {
            if (_seen.GetValueOrDefault(path).Sequence != sequence) _seen[path] = (sequence, new DurableCheckpoint(path, mount.Shares?.BytesOf(path) ?? bytes, time.GetUtcNow()));
        }

        return [.. _seen.Values.OrderByDescending(known => known.Sequence).Take(most).Select(known => known.Checkpoint)];
    }
}
