namespace Trestle.Local.ApiMachinery;

/// <summary>A patch that cannot be applied; the status code and message are those a Kubernetes API server answers.</summary>
public sealed class PatchException(int statusCode, string message) : Exception(message)
{
    /// <summary>HTTP status of the answer, 400 to 422.</summary>
    public int StatusCode { get; } = statusCode;

    /// <summary>The answer of a server to a JSON patch whose test failed or whose path does not exist.</summary>
    internal static PatchException Rejected() => new(422, "the server rejected our request due to an error in our request");
}
