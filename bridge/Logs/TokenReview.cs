using k8s;
using k8s.Models;

namespace Trestle.Bridge.Logs;

/// <summary>The question whose a token is. The client library's class does not know where it is asked.</summary>
[KubernetesEntity(Group = "authentication.k8s.io", ApiVersion = "v1", Kind = KubeKind, PluralName = "tokenreviews")]
internal sealed class TokenReview : IKubernetesObject<V1ObjectMeta>
{
    private const string KubeKind = "TokenReview";

    /// <inheritdoc/>
    public string ApiVersion { get; set; } = "authentication.k8s.io/v1";

    /// <inheritdoc/>
    public string Kind { get; set; } = KubeKind;

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>The question.</summary>
    public V1TokenReviewSpec Spec { get; set; } = new();

    /// <summary>The answer.</summary>
    public V1TokenReviewStatus? Status { get; set; }
}
