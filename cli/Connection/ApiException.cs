using System.Net;

namespace Trestle.Cli.Connection;

/// <summary>The API server said no.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="reason">Status.reason, e.g. AlreadyExists; "" when the answer is no Kubernetes Status.</param>
/// <param name="message">Status.message, or the start of the body.</param>
internal sealed class ApiException(HttpStatusCode status, string reason, string message) : Exception(message)
{
    public HttpStatusCode StatusCode { get; } = status;

    public string Reason { get; } = reason;
}
