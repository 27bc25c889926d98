using k8s;
using k8s.Models;

namespace Trestle.Runtime;

/// <summary>Short questions about objects.</summary>
public static class ObjectExtensions
{
    /// <summary>Namespace and name.</summary>
    public static ObjectKey Key(this IKubernetesObject<V1ObjectMeta> item) => new(item.Metadata.NamespaceProperty ?? "", item.Metadata.Name);

    /// <summary>Deletion was asked for; finalizers hold it.</summary>
    public static bool IsDeleting(this IKubernetesObject<V1ObjectMeta> item) => item.Metadata.DeletionTimestamp is not null;

    /// <summary>Value of a label, null without it.</summary>
    public static string? Label(this IKubernetesObject<V1ObjectMeta> item, string name) =>
        item.Metadata.Labels is { } labels && labels.TryGetValue(name, out var value) ? value : null;

    /// <summary>Value of an annotation, null without it.</summary>
    public static string? Annotation(this IKubernetesObject<V1ObjectMeta> item, string name) =>
        item.Metadata.Annotations is { } annotations && annotations.TryGetValue(name, out var value) ? value : null;

    /// <summary>The owner that is its controller.</summary>
    public static V1OwnerReference? ControllerOwner(this IKubernetesObject<V1ObjectMeta> item) =>
        item.Metadata.OwnerReferences?.FirstOrDefault(owner => owner.Controller == true);

    /// <summary>Whether <paramref name="owner"/> controls it.</summary>
    public static bool IsControlledBy(this IKubernetesObject<V1ObjectMeta> item, IKubernetesObject<V1ObjectMeta> owner) =>
        item.ControllerOwner()?.Uid == owner.Metadata.Uid;

    /// <summary>A reference that makes this object the controller and keeps it until the child is gone.</summary>
    public static V1OwnerReference AsController(this IKubernetesObject<V1ObjectMeta> owner, ResourceKind kind) => new()
    {
        ApiVersion = kind.ApiVersion,
        Kind = kind.Kind,
        Name = owner.Metadata.Name,
        Uid = owner.Metadata.Uid,
        Controller = true,
        BlockOwnerDeletion = true,
    };
}
