using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Trestle.Runtime;

/// <summary>
/// One Kubernetes API server. T is any class with a <see cref="KubernetesEntityAttribute"/>: a whole object, or a slim view
/// that holds only the members its reader needs (never write a slim view back).
/// All calls throw <see cref="KubeApiException"/> when the server refuses and <see cref="HttpRequestException"/> when it can't be reached.
/// </summary>
public interface IKubeApi
{
    /// <summary>Null when there is no such object.</summary>
    Task<T?> FindAsync<T>(ObjectKey key, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>All pages of a list.</summary>
    /// <param name="selection">What to list.</param>
    /// <param name="ct">Ends it.</param>
    Task<KubeList<T>> ListAsync<T>(Selection selection, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>
    /// Changes after <paramref name="resourceVersion"/>, bookmarks included. Ends when the server closes the watch; an ERROR
    /// event is thrown (<see cref="KubeApiException.IsGone"/> when the version is too old).
    /// </summary>
    IAsyncEnumerable<WatchEvent<T>> WatchAsync<T>(Selection selection, string resourceVersion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Creates; gives what the server made of it.</summary>
    Task<T> CreateAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Replaces the object; a conflict when its resourceVersion is set and no longer current.</summary>
    Task<T> ReplaceAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Replaces the status alone, under the same rule.</summary>
    Task<T> ReplaceStatusAsync<T>(T item, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Patches the object or a subresource.</summary>
    Task<T> PatchAsync<T>(ObjectKey key, Patch patch, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>False when it was gone already.</summary>
    Task<bool> DeleteAsync<T>(ObjectKey key, Deletion deletion, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>;

    /// <summary>Posts to a subresource, e.g. binding or eviction.</summary>
    Task<JsonNode?> PostAsync<T>(ObjectKey key, string subresource, JsonNode body, CancellationToken ct)
        where T : class, IKubernetesObject<V1ObjectMeta>;
}

/// <summary>A list and the version to watch from.</summary>
public sealed record KubeList<T>(IReadOnlyList<T> Items, string ResourceVersion);

/// <summary>Which objects of a kind.</summary>
/// <param name="Namespace">All namespaces when null.</param>
/// <param name="Labels">Label selector, e.g. a=b,c.</param>
/// <param name="Fields">Field selector, e.g. spec.nodeName=n1.</param>
public sealed record Selection(string? Namespace = null, string? Labels = null, string? Fields = null)
{
    /// <summary>Everything.</summary>
    public static Selection All { get; } = new();
}

/// <summary>What happened to a watched object.</summary>
public enum WatchEventType
{
    /// <summary>It is new, or new to the selection.</summary>
    Added,

    /// <summary>It changed.</summary>
    Modified,

    /// <summary>It is gone, or left the selection; the object is its last state.</summary>
    Deleted,

    /// <summary>Nothing; the version is newer.</summary>
    Bookmark,
}

/// <summary>One event of a watch; the object is null for bookmarks alone.</summary>
public sealed record WatchEvent<T>(WatchEventType Type, T? Object, string ResourceVersion);

/// <summary>How a patch is meant.</summary>
public enum PatchKind
{
    /// <summary>RFC 7386.</summary>
    Merge,

    /// <summary>RFC 6902.</summary>
    Json,

    /// <summary>Server-side apply, taking over fields of others.</summary>
    Apply,
}

/// <summary>A patch. A merge patch may hold metadata.resourceVersion or metadata.uid as a precondition.</summary>
public sealed record Patch(PatchKind Kind, JsonNode Body)
{
    /// <summary>Subresource, e.g. status.</summary>
    public string? Subresource { get; init; }

    /// <summary>Field manager; needed for apply.</summary>
    public string? FieldManager { get; init; }
}

/// <summary>How to delete.</summary>
public sealed record Deletion
{
    /// <summary>Background propagation, the object's own grace.</summary>
    public static Deletion Default { get; } = new();

    /// <summary>Only the object with this uid.</summary>
    public string? Uid { get; init; }

    /// <summary>Grace in seconds; the object's own when null.</summary>
    public int? GraceSeconds { get; init; }

    /// <summary>Background, Foreground or Orphan.</summary>
    public string Propagation { get; init; } = "Background";
}
