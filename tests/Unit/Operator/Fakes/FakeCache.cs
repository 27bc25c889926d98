using k8s;
using k8s.Models;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Fakes;

/// <summary>A cache that knows what the API server had when it was refreshed last. Its only index is the one given.</summary>
internal sealed class FakeCache<T>(FakeKubeApi api, Func<T, string?>? index = null) : IObjectCache<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public IReadOnlyCollection<T> Items { get; private set; } = [];

    public void Refresh() => Items = api.All<T>();

    public T? Find(ObjectKey key) => Items.FirstOrDefault(item => item.Key() == key);

    public IReadOnlyList<T> Where(string name, string value) => [.. Items.Where(item => index!(item) == value)];
}
