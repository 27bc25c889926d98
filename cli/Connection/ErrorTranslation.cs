using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Trestle.Cli.Connection;

/// <summary>What the API or the network answered, as one sentence for a person and an exit code.</summary>
internal static class ErrorTranslation
{
    /// <param name="error">What was thrown.</param>
    /// <param name="server">URL of the API server, when the error came from a call to it.</param>
    public static CliException Translate(Exception error, string? server = null) => error switch
    {
        CliException answer => answer,
        ApiException api => Translate(api, server ?? "the cluster"),
        HttpRequestException or SocketException or IOException { InnerException: SocketException } when server is not null => Unreachable(error, server),
        TaskCanceledException or TimeoutException when server is not null => new CliException(
            $"the Kubernetes API at {server} doesn't answer in time; is it running? Check with: kubectl --server {server} version", cause: error)
        { IsPassing = true },
        IOException when server is not null => Unreachable(error, server),
        UnauthorizedAccessException or IOException => new CliException(Sentence(error.Message), cause: error),
        _ => new CliException($"{Sentence(error.Message)} ({error.GetType().Name}; TRESTLE_DEBUG=1 shows where)", cause: error),
    };

    public static bool IsPassing(Exception error) => error switch
    {
        CliException answer => answer.IsPassing,
        ApiException api => IsPassing(api.StatusCode),
        HttpRequestException or IOException or SocketException or TimeoutException => true,
        _ => false,
    };

    private static CliException Translate(ApiException error, string server) => error.StatusCode switch
    {
        HttpStatusCode.Unauthorized => new CliException(
            $"the Kubernetes API at {server} doesn't accept your credentials; sign in again or choose another with --context", ExitCode.Forbidden, error),
        HttpStatusCode.Forbidden => new CliException(
            $"you may not do this: {Sentence(error.Message)}; ask an administrator of the cluster for access", ExitCode.Forbidden, error),
        HttpStatusCode.NotFound => new CliException(NotFound(error.Message), ExitCode.NotFound, error),
        HttpStatusCode.RequestEntityTooLarge => new CliException(
            "the manifest is larger than the API takes (3 MiB, and 1.5 MiB on most clusters); move scripts and data into a git workdir or a storage", cause: error),
        HttpStatusCode.InsufficientStorage => new CliException(
            $"the API server can't store it: {Sentence(error.Message)}; free some space and try again", cause: error),
        _ when IsPassing(error.StatusCode) => new CliException(
            $"the Kubernetes API at {server} can't answer now ({(int)error.StatusCode}): {Sentence(error.Message)}; try again", cause: error)
        { IsPassing = true },
        _ => new CliException(Sentence(error.Message), cause: error),
    };

    private static bool IsPassing(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError and not HttpStatusCode.NotImplemented and not HttpStatusCode.InsufficientStorage;

    // "the server could not find the requested resource" is how a cluster without our CRDs answers.
    private static string NotFound(string message) =>
        ApiConnection.IsUnknownKind(message)
            ? "this cluster has no Trestle: its resource types are not installed; install the chart, or start one on this machine with: trestle local up"
            : Sentence(message);

    private static CliException Unreachable(Exception error, string server) => new(
        $"can't reach the Kubernetes API at {server} ({Cause(error)}); is it running? Start one on this machine with 'trestle local up', or choose another with --kubeconfig or --context",
        cause: error)
    { IsPassing = true };

    private static string Cause(Exception error)
    {
        for (var at = error; at is not null; at = at.InnerException)
        {
            switch (at)
            {
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return "connection refused";
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData }:
                    return "no such host";
                case SocketException { SocketErrorCode: SocketError.TimedOut }:
                    return "no answer";
                case SocketException socket:
                    return socket.Message;
                case AuthenticationException:
                    return "its certificate is not trusted";
            }
        }

        return Sentence(error.Message);
    }

    private static string Sentence(string message) => Output.Printable.Line(message.Trim()).TrimEnd('.');
}
