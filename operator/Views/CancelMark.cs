using k8s;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Runtime;

namespace Trestle.Operator.Views;

/// <summary>The annotation that ends a job or a group.</summary>
public static class CancelMark
{
    /// <summary>Somebody asked to end it.</summary>
    public static bool IsCancelled(this IKubernetesObject<V1ObjectMeta> item) => item.Annotation(Annotations.Cancel) is { } value && value != "false";
}
