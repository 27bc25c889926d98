using System.Text;
using k8s.Models;

namespace Trestle.Local.Nodes.Containers;

/// <summary>Data of the ConfigMaps and Secrets a pod refers to, read before its containers are made.</summary>
/// <param name="ConfigMaps">By name; a missing object is absent.</param>
/// <param name="Secrets">By name; a missing object is absent.</param>
public sealed record PodObjects(IReadOnlyDictionary<string, V1ConfigMap> ConfigMaps, IReadOnlyDictionary<string, V1Secret> Secrets)
{
    /// <summary>No objects.</summary>
    public static PodObjects None { get; } = new(new Dictionary<string, V1ConfigMap>(), new Dictionary<string, V1Secret>());
}

/// <summary>Builds a container's environment. Pure.</summary>
public static class ContainerEnvironment
{
    /// <summary>
    /// The environment in the order Kubernetes gives precedence: defaults, <c>envFrom</c>, <c>env</c>.
    /// Throws <see cref="ContainerConfigException"/> when something referred to is missing.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Build(
        V1Pod pod, V1Container container, PodObjects objects, string podAddress, string hostAddress, IEnumerable<KeyValuePair<string, string>> defaults)
    {
        var environment = new Dictionary<string, string>(defaults);
        foreach (var source in container.EnvFrom ?? [])
        {
            foreach (var (key, value) in Whole(source, objects))
            {
                var name = source.Prefix + key;
                if (IsName(name)) environment[name] = value;
            }
        }

        foreach (var variable in container.Env ?? [])
        {
            if (variable.ValueFrom is null) environment[variable.Name] = VariableExpansion.Expand(variable.Value ?? "", environment);
            else if (Referred(pod, container, variable.ValueFrom, objects, podAddress, hostAddress) is { } value) environment[variable.Name] = value;
        }

        return environment;
    }

    /// <summary>Command line of the container with variables expanded. Throws when it has none: images are not pulled here.</summary>
    public static IReadOnlyList<string> Command(V1Container container, IReadOnlyDictionary<string, string> environment)
    {
        var words = (container.Command ?? []).Concat(container.Args ?? []).Select(w => VariableExpansion.Expand(w, environment)).ToList();
        if (container.Command is not { Count: > 0 })
            throw new ContainerConfigException($"container {container.Name} needs a command: on one machine images are not pulled, so the image's own command is not known");
        if (words.Any(w => w.Contains('\0'))) throw new ContainerConfigException($"the command of container {container.Name} holds a NUL character");
        return words;
    }

    private static IEnumerable<KeyValuePair<string, string>> Whole(V1EnvFromSource source, PodObjects objects)
    {
        if (source.ConfigMapRef is { } map)
        {
            if (objects.ConfigMaps.TryGetValue(map.Name, out var found)) return found.Data ?? new Dictionary<string, string>();
            return map.Optional == true ? [] : throw new ContainerConfigException($"configmap \"{map.Name}\" not found");
        }

        if (source.SecretRef is { } secret)
        {
            if (objects.Secrets.TryGetValue(secret.Name, out var found)) return (found.Data ?? new Dictionary<string, byte[]>()).Select(p => KeyValuePair.Create(p.Key, Encoding.UTF8.GetString(p.Value)));
            return secret.Optional == true ? [] : throw new ContainerConfigException($"secret \"{secret.Name}\" not found");
        }

        return [];
    }

    private static string? Referred(V1Pod pod, V1Container container, V1EnvVarSource from, PodObjects objects, string podAddress, string hostAddress)
    {
        if (from.FieldRef is { } field) return FieldPaths.Field(pod, field.FieldPath, podAddress, hostAddress);
        if (from.ResourceFieldRef is { } resource) return FieldPaths.Resource(pod, resource, container.Name);
        if (from.ConfigMapKeyRef is { } map)
        {
            if (objects.ConfigMaps.TryGetValue(map.Name, out var found) && found.Data?.TryGetValue(map.Key, out var text) == true) return text;
            return map.Optional == true ? null : throw new ContainerConfigException(found is null ? $"configmap \"{map.Name}\" not found" : $"couldn't find key {map.Key} in ConfigMap {map.Name}");
        }

        if (from.SecretKeyRef is { } secret)
        {
            if (objects.Secrets.TryGetValue(secret.Name, out var found) && found.Data?.TryGetValue(secret.Key, out var bytes) == true) return Encoding.UTF8.GetString(bytes);
            return secret.Optional == true ? null : throw new ContainerConfigException(found is null ? $"secret \"{secret.Name}\" not found" : $"couldn't find key {secret.Key} in Secret {secret.Name}");
        }

        return null;
    }

    private static bool IsName(string name) => name.Length > 0 && !name.Contains('=') && !name.Contains('\0');
}
