using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes.Kueue;

/// <summary>
/// What is written into Workloads. Each is one request with the version that was read, so that nobody's conditions are
/// undone. Pure.
/// </summary>
internal static class WorkloadWrites
{
    // Evictions after which it may queue again at once; for the others Kueue says when.
    private static readonly HashSet<string> Requeues = new(StringComparer.Ordinal) { "Preempted", "NodeFailures" };

    /// <summary>
    /// Gives the quota of an evicted Workload back. Admission and conditions change together: Kueue breaks on a Workload
    /// that has the one without the other.
    /// </summary>
    public static ObjectChange Release(KueueWorkloadView workload, DateTimeOffset now)
    {
        const string Message = "pods ended after the eviction";
        var reason = workload.Find(KueueApi.Evicted)?.Reason ?? "Evicted";
        return Status(workload, clear: true, conditions =>
        {
            Put(conditions, workload, KueueApi.QuotaReserved, false, "Pending", Message, now);
            Put(conditions, workload, KueueApi.Admitted, false, "NoReservation", "The workload has no reservation", now);
            if (workload.Holds(KueueApi.PodsReady)) Put(conditions, workload, KueueApi.PodsReady, false, "Evicted", Message, now);
            Put(conditions, workload, KueueApi.Requeued, Requeues.Contains(reason), reason, Message, now);
        });
    }

    /// <summary>Tells whether all ranks run.</summary>
    public static ObjectChange PodsReady(KueueWorkloadView workload, bool ready, DateTimeOffset now)
    {
        var again = workload.Find(KueueApi.PodsReady)?.Reason == "WaitForRecovery";
        return Status(workload, clear: false, conditions => Put(
            conditions, workload, KueueApi.PodsReady, ready, !ready ? "WaitForRecovery" : again ? "Recovered" : "Started", ready ? "all ranks are running" : "a rank failed; all start again", now));
    }

    /// <summary>Tells that it is over.</summary>
    public static ObjectChange Finished(KueueWorkloadView workload, bool succeeded, string message, DateTimeOffset now) =>
        Status(workload, clear: false, conditions => Put(conditions, workload, KueueApi.Finished, true, succeeded ? "Succeeded" : "Failed", message, now));

    /// <summary>Moves it in its queue.</summary>
    public static ObjectChange Priority(KueueWorkloadView workload, int priority) =>
        new PatchObject<KueueWorkloadView>(workload.Key(), new Patch(PatchKind.Merge, new JsonObject
        {
            ["metadata"] = Version(workload),
            ["spec"] = new JsonObject { ["priority"] = priority },
        }));

    private static PatchObject<KueueWorkloadView> Status(KueueWorkloadView workload, bool clear, Action<List<V1Condition>> change)
    {
        var conditions = (workload.Status?.Conditions ?? []).Select(Copy).ToList();
        change(conditions);
        var status = new JsonObject { ["conditions"] = JsonSerializer.SerializeToNode(conditions, OperatorJson.Default.ListV1Condition) };
        if (clear) status["admission"] = null;
        return new PatchObject<KueueWorkloadView>(workload.Key(), new Patch(PatchKind.Merge, new JsonObject { ["metadata"] = Version(workload), ["status"] = status }) { Subresource = "status" });
    }

    private static void Put(List<V1Condition> conditions, KueueWorkloadView workload, string type, bool holds, string reason, string message, DateTimeOffset now) =>
        Conditions.Set(conditions, type, holds, reason, message, workload.Metadata.Generation, now);

    private static JsonObject Version(KueueWorkloadView workload) => new() { ["resourceVersion"] = workload.Metadata.ResourceVersion };

    private static V1Condition Copy(V1Condition known) => new()
    {
        Type = known.Type,
        Status = known.Status,
        Reason = known.Reason,
        Message = known.Message,
        LastTransitionTime = known.LastTransitionTime,
        ObservedGeneration = known.ObservedGeneration,
    };
}
