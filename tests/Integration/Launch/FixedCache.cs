using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Runtime;

namespace Trestle.Integration.Tests.Launch;

/// <summary>A cache that a test fills while others read it.</summary>
internal sealed class FixedCache<T> : IObjectCache<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly ConcurrentDictionary<ObjectKey, T> _items = [];

    public IReadOnlyCollection<T> Items => [.. _items.Values];

    public void Put(T item) => _items[item.Key()] = item;

    public T? Find(ObjectKey key) => _items.GetValueOrDefault(key);

    public IReadOnlyList<T> Where(string index, string value) => [.. _items.Values.Where(item => item.Label(Labels.JobUid) == value)];
}
