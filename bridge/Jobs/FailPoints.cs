namespace Trestle.Bridge.Jobs;

/// <summary>Named points in the life of a job at which a test may end the process, or throw.</summary>
/// <param name="hook">Called with the name; null in production.</param>
internal sealed class FailPoints(Action<string>? hook = null)
{
    /// <summary>Those that every job passes until Slurm has it and its status says so.</summary>
    public static readonly IReadOnlyList<string> Submission =
    [
        "finalizer.adding", "finalizer.added", "secrets.reading", "submit.queueing", "submit.queued",
        "submit.taken", "submit.sending", "submit.underway", "submit.answered", "submit.telling", "submit.noted",
        "status.planned", "status.writing", "status.written", "status.noted",
    ];

    /// <summary>All names, in the order of a job's life.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        .. Submission,
        "look.beginning", "look.queue", "look.heard", "look.accounting", "look.done",
        "exit.reading", "exit.read",
        "term.sending", "term.underway", "term.answered", "cancel.sending", "cancel.underway", "cancel.answered",
        "clean.sending", "clean.underway", "clean.answered", "finalizer.removing", "finalizer.removed",
    ];

    /// <summary>The process is here.</summary>
    public void At(string name) => hook?.Invoke(name);
}
