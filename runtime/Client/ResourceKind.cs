using System.Reflection;
using k8s.Models;

namespace Trestle.Runtime;

/// <summary>Where objects of a class live on the API server.</summary>
/// <param name="Group">API group, "" for core.</param>
/// <param name="Version">Version, e.g. v1.</param>
/// <param name="Plural">Resource name, e.g. pods.</param>
/// <param name="Kind">Kind, e.g. Pod.</param>
public sealed record ResourceKind(string Group, string Version, string Plural, string Kind)
{
    private string Root => Group.Length == 0 ? $"api/{Version}" : $"apis/{Group}/{Version}";

    /// <summary>apiVersion on the wire.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Reads the <see cref="KubernetesEntityAttribute"/> of the class.</summary>
    /// <exception cref="InvalidOperationException">The class has none.</exception>
    public static ResourceKind Of<T>() => Known<T>.Kind;

    /// <summary>The same for a class known at run time.</summary>
    /// <exception cref="InvalidOperationException">The class has none.</exception>
    public static ResourceKind OfClass(Type type) =>
        type.GetCustomAttribute<KubernetesEntityAttribute>() is { } entity
            ? new ResourceKind(entity.Group ?? "", entity.ApiVersion, entity.PluralName, entity.Kind)
            : throw new InvalidOperationException($"{type} needs a KubernetesEntity attribute to be read from an API server");

    /// <summary>Path of the collection, relative to the server's address; all namespaces when <paramref name="ns"/> is null or "".</summary>
    public string CollectionPath(string? ns) =>
        string.IsNullOrEmpty(ns) ? $"{Root}/{Plural}" : $"{Root}/namespaces/{Uri.EscapeDataString(ns)}/{Plural}";

    /// <summary>Path of one object or of a subresource of it.</summary>
    public string ObjectPath(ObjectKey key, string? subresource = null) =>
        $"{CollectionPath(key.Namespace)}/{Uri.EscapeDataString(key.Name)}{(subresource is null ? "" : "/" + subresource)}";

    private static class Known<T>
    {
        internal static readonly ResourceKind Kind = OfClass(typeof(T));
    }
}
