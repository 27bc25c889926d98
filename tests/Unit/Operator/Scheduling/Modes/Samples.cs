using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Trestle.Api.Yaml;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Scheduling.Modes;

/// <summary>What real systems answered.</summary>
internal static class Samples
{
    public static JsonObject Json(string system, string file)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Samples", system, file);
        var text = File.ReadAllText(path);
        return (JsonObject)(file.EndsWith(".json", StringComparison.Ordinal) ? JsonNode.Parse(text) : YamlDocuments.Read(text)[0].ToJson())!;
    }

    public static T Read<T>(string system, string file)
        where T : class, IKubernetesObject<V1ObjectMeta> => (T)Json(system, file).Deserialize(typeof(T), OperatorJson.Default)!;
}

/// <summary>A kind that the cluster has, or hasn't.</summary>
internal sealed class FixedKind<T>(bool served, params IReadOnlyList<T> items) : Operator.Scheduling.Modes.IOptionalCache<T>, IObjectCache<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public bool IsServed => served;

    public IObjectCache<T> Cache => this;

    public IReadOnlyCollection<T> Items => items;

    public T? Find(ObjectKey key) => items.FirstOrDefault(item => item.Key() == key);

    public IReadOnlyList<T> Where(string index, string value) => [.. items.Where(item => item.ControllerOwner()?.Uid == value)];
}
