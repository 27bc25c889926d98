using Trestle.Runtime;
using static Trestle.Runtime.MetricType;

namespace Trestle.Operator.Telemetry;

/// <summary>All metrics of the operator. Labels hold no object names: there would be one more series for every job.</summary>
internal static class MetricTable
{
    private static readonly double[] Waits = [1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 604800];
    private static readonly double[] Starts = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800];
    private static readonly double[] Work = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    public static readonly MetricDefinition Leader = new("trestle_leader", Gauge, "0 or 1", [], "1 while this process leads; the other gauges are there only then.");

    public static readonly MetricDefinition Jobs = new("trestle_jobs", Gauge, "jobs", [MetricLabels.Phase], "TrainingJobs by phase.");

    public static readonly MetricDefinition QueueJobs = new("trestle_queue_jobs", Gauge, "jobs", [MetricLabels.Queue, MetricLabels.Priority], "Jobs that wait for nodes.");

    public static readonly MetricDefinition QueueOldest = new(
        "trestle_queue_oldest_wait_seconds", Gauge, "seconds", [MetricLabels.Queue, MetricLabels.Priority], "How long the job that waits longest has waited for nodes.");

    public static readonly MetricDefinition QueueWait = new(
        "trestle_queue_wait_seconds", Histogram, "seconds", [MetricLabels.Queue, MetricLabels.Priority], "How long an attempt waited for nodes, observed when it is admitted; a backoff before a restart is not waiting.")
    {
        Buckets = Waits,
    };

    public static readonly MetricDefinition AdmissionPass = new(
        "trestle_admission_pass_duration_seconds", Histogram, "seconds", [], "How long one admission pass took, with the writes of what it decided.")
    {
        Buckets = Work,
    };

    public static readonly MetricDefinition GangStart = new(
        "trestle_gang_start_seconds", Histogram, "seconds", [], "From the admission of an attempt until all its ranks ran.")
    {
        Buckets = Starts,
    };

    public static readonly MetricDefinition Attempts = new("trestle_attempts_total", Counter, "attempts", [MetricLabels.Queue], "Attempts that were admitted.");

    public static readonly MetricDefinition Restarts = new(
        "trestle_restarts_total", Counter, "restarts", [MetricLabels.Cause], "Attempts that ended and were followed by another, by cause.");

    public static readonly MetricDefinition Finished = new(
        "trestle_jobs_finished_total", Counter, "jobs", [MetricLabels.Phase], "Jobs that ended, by their last phase; Deleted are those whose object was deleted before their end.");

    public static readonly MetricDefinition AllocatableGpus = new(
        "trestle_allocatable_gpus", Gauge, "GPUs", [MetricLabels.Accelerator], "GPUs of all nodes, also of those that take no pods now.");

    public static readonly MetricDefinition AllocatedGpus = new(
        "trestle_allocated_gpus", Gauge, "GPUs", [MetricLabels.Accelerator], "GPUs that pods hold, those of others as well, or that admitted ranks without a placed pod will hold.");

    public static readonly MetricDefinition FreeGpus = new(
        "trestle_free_gpus", Gauge, "GPUs", [MetricLabels.Accelerator], "GPUs that nobody holds, on nodes that take pods.");

    public static readonly MetricDefinition RequestedGpus = new(
        "trestle_requested_gpus", Gauge, "GPUs", [MetricLabels.Accelerator], "GPUs that the waiting jobs ask for.");

    public static readonly MetricDefinition ReconcileDuration = new(
        "trestle_reconcile_duration_seconds", Histogram, "seconds", [MetricLabels.Controller], "How long it took to look at one object and do what was to do.")
    {
        Buckets = Work,
    };

    public static readonly MetricDefinition ReconcileFailures = new(
        "trestle_reconcile_failures_total", Counter, "failures", [MetricLabels.Controller], "Looks at an object that ended with an error and are tried again.");

    public static readonly IReadOnlyList<MetricDefinition> All =
    [
        Leader, Jobs, QueueJobs, QueueOldest, QueueWait, AdmissionPass, GangStart, Attempts, Restarts, Finished,
        AllocatableGpus, AllocatedGpus, FreeGpus, RequestedGpus, ReconcileDuration, ReconcileFailures,
    ];
}
