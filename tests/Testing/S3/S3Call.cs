namespace Trestle.Testing.S3;

/// <summary>A request to an S3 server.</summary>
/// <param name="Kind">put, part, begin, complete, abort, head, get, delete, list, uploads or parts.</param>
/// <param name="Key">Of the object; the prefix of a listing.</param>
/// <param name="Part">Number of the part; 0 when none.</param>
public sealed record S3Call(string Kind, string Key, int Part);

/// <summary>What a server does instead of what it should.</summary>
public enum S3Fault
{
    None,

    /// <summary>500 InternalError, nothing done.</summary>
    Error500,

    /// <summary>503 SlowDown, nothing done.</summary>
    SlowDown,

    /// <summary>403 ExpiredToken, nothing done.</summary>
    Expired,

    /// <summary>403 AccessDenied, nothing done.</summary>
    Denied,

    /// <summary>The connection is cut before anything is done.</summary>
    Reset,

    /// <summary>It is done, and the connection is cut before the answer.</summary>
    LostAnswer,

    /// <summary>Nothing is done and nothing is answered as long as the client waits.</summary>
    Hang,

    /// <summary>It is done, and the answer names another ETag.</summary>
    LyingETag,

    /// <summary>Half of the body arrives: what is stored of a put, what is read of a get.</summary>
    Truncated,
}
