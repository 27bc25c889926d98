using System.Collections.Concurrent;
using k8s;
using k8s.Models;

namespace Trestle.Runtime;

/// <summary>What a reader sees of a cache. Objects are shared: never change one.</summary>
public interface IObjectCache<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>All objects, in no order.</summary>
    IReadOnlyCollection<T> Items { get; }

    /// <summary>Null when it is not (yet, or any more) there.</summary>
    T? Find(ObjectKey key);

    /// <summary>Objects whose index gives the value.</summary>
    /// <exception cref="ArgumentException">There is no such index.</exception>
    IReadOnlyList<T> Where(string index, string value);
}

/// <summary>The objects of one kind, with indexes. One writer, any number of readers.</summary>
public sealed class ObjectStore<T> : IObjectCache<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<ObjectKey, T> _items = [];
    private readonly Dictionary<string, Index> _indexes = [];

    /// <inheritdoc/>
    public IReadOnlyCollection<T> Items => (IReadOnlyCollection<T>)_items.Values;

    /// <summary>Adds an index before the first object.</summary>
    public void AddIndex(string name, Func<T, string?> value) => _indexes.Add(name, new Index(value));

    /// <inheritdoc/>
    public T? Find(ObjectKey key) => _items.GetValueOrDefault(key);

    /// <inheritdoc/>
    public IReadOnlyList<T> Where(string index, string value)
    {
        if (!_indexes.TryGetValue(index, out var found)) throw new ArgumentException($"there is no index {index}", nameof(index));
        lock (_lock) return found.Keys(value).Select(key => _items[key]).ToList();
    }

    /// <summary>Puts an object in the place of the one of its key; gives the old one.</summary>
    internal T? Put(T item)
    {
        var key = item.Key();
        lock (_lock)
        {
            var old = _items.GetValueOrDefault(key);
            _items[key] = item;
            foreach (var index in _indexes.Values) index.Move(key, old, item);
            return old;
        }
    }

    internal T? Remove(ObjectKey key)
    {
        lock (_lock)
        {
            if (!_items.TryRemove(key, out var old)) return null;
            foreach (var index in _indexes.Values) index.Move(key, old, null);
            return old;
        }
    }

    private sealed class Index(Func<T, string?> value)
    {
        private readonly Dictionary<string, HashSet<ObjectKey>> _keys = [];

        public IEnumerable<ObjectKey> Keys(string wanted) => _keys.TryGetValue(wanted, out var keys) ? keys : [];

        public void Move(ObjectKey key, T? old, T? now)
        {
            var (before, after) = (old is null ? null : value(old), now is null ? null : value(now));
            if (before == after) return;
            if (before is not null && _keys[before].Remove(key) && _keys[before].Count == 0) _keys.Remove(before);
            if (after is null) return;
            if (!_keys.TryGetValue(after, out var keys)) _keys[after] = keys = [];
            keys.Add(key);
        }
    }
}
