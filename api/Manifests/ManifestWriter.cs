using k8s;
using k8s.Models;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests;

/// <summary>Objects → YAML that <see cref="ManifestReader"/> and kubectl read.</summary>
public static class ManifestWriter
{
    /// <summary>One document an object, with a line of three dashes between.</summary>
    /// <param name="objects">Objects of the kinds that a manifest may hold.</param>
    public static string Write(IEnumerable<IKubernetesObject<V1ObjectMeta>> objects)
    {
        ArgumentNullException.ThrowIfNull(objects);
        return string.Join("---\n", objects.Select(item => YamlText.Write(ManifestKinds.ToJson(item))));
    }
}
