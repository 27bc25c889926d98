using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Slurm;

/// <summary>Reads from a SlurmJob that has failed whose fault it was.</summary>
internal static class SlurmFailure
{
    // What the scripts of an attempt end with when the cluster is at fault and not the user's code; see operator/Slurm/rank.sh.
    private const int NotStarted = 75;

    /// <summary>The failure to act on.</summary>
    /// <param name="recovery">Which exit codes are special; may be absent.</param>
    /// <param name="seen">What Slurm said.</param>
    /// <param name="where">The place, as people know it.</param>
    public static RankFailure Of(Recovery? recovery, SlurmJobStatus seen, string where)
    {
        var slurm = seen.Message is { } message ? $"Slurm job {seen.JobId} on {where} failed: {message}" : $"Slurm job {seen.JobId} on {where} failed";
        if (seen.Reason == "Refused") return new RankFailure(FailureCause.Final, 0, "RefusedBySlurm", seen.Message ?? slurm) { Stage = ExitStage.Start, Output = seen.Message };
        if (seen.Infrastructure == true) return new RankFailure(FailureCause.Infrastructure, 0, seen.Reason ?? "NodeFail", slurm) { Node = LostNode(seen) };
        if (seen.Reason == "Hung") return new RankFailure(FailureCause.User, seen.Exit?.Rank ?? 0, "Hung", $"{seen.Exit?.Message ?? "no rank has shown a sign of life"}, on {where}") { Stage = ExitStage.Run, Output = seen.Exit?.Message };
        if (seen.Exit is { Rank: { } rank, Code: { } code } exit) return Ended(recovery, seen, exit, rank, code, where);
        if (seen.Reason == "OutOfMemory") return new RankFailure(FailureCause.User, 0, "OutOfMemory", $"{slurm}; raise spec.resources.memory") { Stage = ExitStage.Run, Output = seen.Exit?.Message };
        if (seen is { ExitCode: NotStarted, Signal: null }) return new RankFailure(FailureCause.Infrastructure, 0, "StartFailed", $"Slurm job {seen.JobId} on {where} could not start its ranks; see trestle logs");
        var whole = seen.Signal is { } signal ? 128 + signal : seen.ExitCode;
        return new RankFailure(whole is { } known ? Failures.CauseOf(recovery, known) : FailureCause.User, 0, seen.Reason == "Failed" || seen.Reason is null ? "RunFailed" : seen.Reason, slurm) { Code = whole, Stage = ExitStage.Run };
    }

    // Of several nodes Slurm does not say which one it was; it keeps away from those that are down itself.
    private static string? LostNode(SlurmJobStatus seen) => seen is { Reason: "NodeFail", Nodes: [var only] } ? only : null;

    private static RankFailure Ended(Recovery? recovery, SlurmJobStatus seen, TrainingJobExit exit, int rank, int code, string where)
    {
        var (reason, how) = exit.Stage switch
        {
            _ when seen.Reason == "OutOfMemory" => ("OutOfMemory", "ran out of memory; raise spec.resources.memory"),
            ExitStage.Setup => ("SetupFailed", $"ended with exit code {code} in setup"),
            ExitStage.Start => ("StartFailed", $"ended with exit code {code} before its start"),
            _ => ("RunFailed", $"ended with exit code {code}"),
        };
        var node = seen.Nodes is { } nodes && rank >= 0 && rank < nodes.Count ? nodes[rank] : null;
        var message = $"rank {rank} on {(node is null ? where : $"node {node} of {where}")} {how}";
        return new RankFailure(exit.Stage == ExitStage.Start ? FailureCause.User : Failures.CauseOf(recovery, code), rank, reason, message) { Node = node, Code = code, Stage = exit.Stage, Output = exit.Message };
    }
}
