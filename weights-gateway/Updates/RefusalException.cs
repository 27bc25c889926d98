namespace Trestle.WeightsGateway.Updates;

/// <summary>The trainer's request can't be done now; the message says what to do.</summary>
/// <param name="status">409: do something else first; 500: it failed; 503: try again later.</param>
/// <param name="message">One sentence.</param>
public sealed class RefusalException(int status, string message) : Exception(message)
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;
}
