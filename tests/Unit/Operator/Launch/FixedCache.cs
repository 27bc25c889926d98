using k8s;
using k8s.Models;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Launch;

/// <summary>A cache of what a test puts into it.</summary>
internal sealed class FixedCache<T> : IObjectCache<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public List<T> All { get; } = [];

    public IReadOnlyCollection<T> Items => All;

    public T? Find(ObjectKey key) => All.Find(item => item.Key() == key);

    public IReadOnlyList<T> Where(string index, string value)
    {
        index.ShouldBe(PodFacts.JobUidIndex);
        return [.. All.Where(item => item.Label(Trestle.Api.Launch.Labels.JobUid) == value)];
    }
}
