using k8s.Models;

namespace Trestle.Local.Nodes.Pods;

/// <summary>Names of the ConfigMaps and Secrets a pod's environment and volumes need. Pure.</summary>
public sealed record PodReferences(IReadOnlySet<string> ConfigMaps, IReadOnlySet<string> Secrets)
{
    /// <summary>Collects them.</summary>
    public static PodReferences Of(V1Pod pod)
    {
        var maps = new SortedSet<string>(StringComparer.Ordinal);
        var secrets = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var container in pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []))
        {
            foreach (var source in container.EnvFrom ?? [])
            {
                Add(maps, source.ConfigMapRef?.Name);
                Add(secrets, source.SecretRef?.Name);
            }

            foreach (var variable in container.Env ?? [])
            {
                Add(maps, variable.ValueFrom?.ConfigMapKeyRef?.Name);
                Add(secrets, variable.ValueFrom?.SecretKeyRef?.Name);
            }
        }

        var volumes = OfVolumes(pod);
        maps.UnionWith(volumes.ConfigMaps);
        secrets.UnionWith(volumes.Secrets);
        return new PodReferences(maps, secrets);
    }

    /// <summary>Collects those of its volumes alone.</summary>
    public static PodReferences OfVolumes(V1Pod pod)
    {
        var maps = new SortedSet<string>(StringComparer.Ordinal);
        var secrets = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            Add(maps, volume.ConfigMap?.Name);
            Add(secrets, volume.Secret?.SecretName);
            foreach (var source in volume.Projected?.Sources ?? [])
            {
                Add(maps, source.ConfigMap?.Name);
                Add(secrets, source.Secret?.Name);
            }
        }

        return new PodReferences(maps, secrets);
    }

    private static void Add(SortedSet<string> names, string? name)
    {
        if (!string.IsNullOrEmpty(name)) names.Add(name);
    }
}
