using System.Net;

namespace Trestle.Runtime;

/// <summary>The API server answered with an error.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="reason">Status.reason, e.g. AlreadyExists; "" when the answer was no Kubernetes Status.</param>
/// <param name="message">Status.message, or what could be read of the answer.</param>
/// <param name="retryAfter">How long the server asks to wait, when it does.</param>
public sealed class KubeApiException(HttpStatusCode status, string reason, string message, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>HTTP status.</summary>
    public HttpStatusCode StatusCode { get; } = status;

    /// <summary>Status.reason.</summary>
    public string Reason { get; } = reason;

    /// <summary>How long the server asks to wait.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>There is no such object, or the server does not know the kind.</summary>
    public bool IsNotFound => StatusCode == HttpStatusCode.NotFound;

    /// <summary>An object of that name is there already.</summary>
    public bool IsAlreadyExists => StatusCode == HttpStatusCode.Conflict && Reason == "AlreadyExists";

    /// <summary>The object changed since it was read, or a precondition failed.</summary>
    public bool IsConflict => StatusCode == HttpStatusCode.Conflict && Reason != "AlreadyExists";

    /// <summary>The resource version or the continue token is too old: list again.</summary>
    public bool IsGone => StatusCode == HttpStatusCode.Gone || Reason is "Expired" or "Gone";

    /// <summary>The object breaks a rule of its schema.</summary>
    public bool IsInvalid => StatusCode is HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest;

    /// <summary>Not allowed.</summary>
    public bool IsForbidden => StatusCode == HttpStatusCode.Forbidden;
}
