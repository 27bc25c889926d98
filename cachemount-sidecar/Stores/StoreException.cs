namespace Trestle.CacheMount.Stores;

/// <summary>What kind of trouble a store has.</summary>
internal enum StoreProblem
{
    /// <summary>No answer, or one that may be different next time.</summary>
    Unavailable,

    /// <summary>It asks to slow down.</summary>
    SlowDown,

    /// <summary>It does not let us; credentials may be renewed.</summary>
    Denied,

    /// <summary>The bucket or the object is not there.</summary>
    NotFound,

    /// <summary>The upload is not there: completed, aborted or never begun.</summary>
    NoSuchUpload,

    /// <summary>Its parts are not what was said.</summary>
    WrongParts,

    /// <summary>The object is another one than was asked for.</summary>
    Changed,

    /// <summary>What arrived is not what was sent.</summary>
    Corrupt,

    /// <summary>It will never do this.</summary>
    Refused,
}

/// <summary>A store did not do what was asked.</summary>
/// <param name="problem">What kind of trouble.</param>
/// <param name="message">One sentence.</param>
/// <param name="inner">What lies beneath.</param>
internal sealed class StoreException(StoreProblem problem, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What kind of trouble.</summary>
    public StoreProblem Problem { get; } = problem;

    /// <summary>Code for the counters of retries, e.g. 503 or timeout.</summary>
    public string Code { get; init; } = problem.ToString();
}
