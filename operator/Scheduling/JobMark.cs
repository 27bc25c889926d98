using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling;

/// <summary>What a pass reads of a job, but for how much work a preemption would lose: a job whose mark stays makes no pass necessary.</summary>
internal sealed record JobMark(string? Uid, long? Generation, bool IsOver, TrainingJobPhase? Phase, SchedulingMode? Mode, int? Attempt, int? Size, DateTime QueuedAt, DateTime? NotBefore, int? MinNodes)
{
    /// <summary>Whether a change of a job (null: there is none) may change what a pass decides. What a job is told of its place in the queue does not.</summary>
    public static bool Differs(TrainingJob? old, TrainingJob? now) =>
        old is null || now is null || Of(old) != Of(now) || !Ranks(old).SequenceEqual(Ranks(now)) || !NodeAvoidance.Of(old.Status).SetEquals(NodeAvoidance.Of(now.Status));

    private static JobMark Of(TrainingJob job) => new(
        job.Metadata.Uid,
        job.Metadata.Generation,
        job.IsDeleting() || job.IsCancelled(),
        job.Status?.Phase,
        job.Status?.SchedulingMode,
        job.Status?.Attempt,
        job.Status?.Admission?.Size,
        GangQueue.QueuedAt(job),
        job.Status?.Retry?.NotBefore,
        job.Status?.Retry?.MinNodes);

    private static IEnumerable<(int Rank, string Node)> Ranks(TrainingJob job) => (job.Status?.Admission?.Ranks ?? []).Select(rank => (rank.Rank, rank.Node));
}
