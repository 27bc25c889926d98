using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>
/// Takes an answer about a submission into account. A try whose end is not known is followed by another one only after at least
/// three successful empty looks in both squeue and sacct that are more than 120 s apart: so long sbatch itself may go on trying.
/// </summary>
internal static class SubmissionRules
{
    /// <summary>Empty looks must span more than this.</summary>
    public static readonly TimeSpan LongestSbatch = TimeSpan.FromSeconds(125);

    /// <summary>Empty looks that are needed.</summary>
    public const int LeastLooks = 3;

    private const int MostDoublings = 4;
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AfterSilence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan AfterBusy = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AfterBlocked = TimeSpan.FromSeconds(10);

    /// <summary>The state after an answer.</summary>
    /// <param name="state">Before it.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="now">By the steady clock: a clock that is set must not shorten the time in which sbatch may still go on.</param>
    public static SubmissionState After(SubmissionState state, SubmissionAnswer answer, TimeSpan now)
    {
        var heard = state with { InFlight = false, IsFirst = false, Answer = answer };
        return answer switch
        {
            InDoubt doubt => Looked(heard, doubt.LastTry, doubt.Looked, now),
            SbatchFailed failed => Failed(heard, failed, now),
            Blocked => Later(heard, AfterBlocked, now),
            NotHeard => Later(heard, AfterSilence, now),
            _ => heard,
        };
    }

    private static SubmissionState Failed(SubmissionState state, SbatchFailed failed, TimeSpan now) => SbatchFailure.FateOf(failed.Text) switch
    {
        SubmissionFate.Refused => state,
        SubmissionFate.Busy => Later(Next(state, failed.LastTry), AfterBusy, now),
        _ => Looked(state, failed.LastTry, failed.Looked, now),
    };

    private static SubmissionState Looked(SubmissionState state, int lastTry, bool succeeded, TimeSpan now)
    {
        var same = lastTry == state.Try ? state : state with { Try = lastTry, FirstEmptyLook = null, EmptyLooks = 0 };
        if (!succeeded) return same with { NotBefore = now + BetweenLooks };
        var first = same.FirstEmptyLook ?? now;
        if (same.EmptyLooks + 1 >= LeastLooks && now - first > LongestSbatch) return Next(same, lastTry) with { NotBefore = now };
        return same with { FirstEmptyLook = first, EmptyLooks = same.EmptyLooks + 1, NotBefore = now + BetweenLooks };
    }

    private static SubmissionState Next(SubmissionState state, int lastTry) => state with { Try = lastTry + 1, FirstEmptyLook = null, EmptyLooks = 0 };

    private static SubmissionState Later(SubmissionState state, TimeSpan wait, TimeSpan now)
    {
        var grown = wait * Math.Pow(2, Math.Min(state.Failures, MostDoublings));
        return state with { NotBefore = now + (grown < LongestWait ? grown : LongestWait), Failures = state.Failures + 1 };
    }
}
