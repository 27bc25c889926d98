namespace Trestle.Bridge.Jobs;

/// <summary>Named points of the submission path at which a test may end the process, or throw.</summary>
/// <param name="hook">Called with the name; null in production.</param>
internal sealed class FailPoints(Action<string>? hook = null)
{
    /// <summary>All names, in the order of a job's life.</summary>
    public static readonly IReadOnlyList<string> Names =
        ["finalizer.adding", "finalizer.added", "submit.queueing", "submit.sending", "submit.answered", "submit.noted", "status.writing", "status.written"];

    /// <summary>The process is here.</summary>
    public void At(string name) => hook?.Invoke(name);
}
