using System.Globalization;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Telemetry;

/// <summary>
/// The labels and what bounds their values. Queues, priorities and accelerators are written by users: the first values seen
/// have series of their own, the rest share <see cref="Other"/>, so that nobody can make the operator or Prometheus grow without end.
/// A priority stays the number it is, because alerts are written for one; only pairs of queue and priority are counted.
/// </summary>
internal sealed class MetricLabels
{
    public const string Queue = "queue";
    public const string Priority = "priority";
    public const string Phase = "phase";
    public const string Cause = "cause";
    public const string Accelerator = "accelerator";
    public const string Controller = "controller";

    /// <summary>Value for all that is beyond the bound.</summary>
    public const string Other = "other";

    /// <summary>Queue of jobs that name none.</summary>
    public const string DefaultQueue = "default";

    /// <summary>Accelerator of nodes with GPUs and without a label that says which.</summary>
    public const string UnknownAccelerator = "unknown";

    public const int MostQueues = 200;
    public const int MostPairs = 500;
    public const int MostAccelerators = 100;

    private readonly FirstSeen<string> _queues = new(MostQueues);
    private readonly FirstSeen<(string Queue, int Priority)> _pairs = new(MostPairs);
    private readonly FirstSeen<string> _accelerators = new(MostAccelerators);

    public string QueueOf(TrainingJob job)
    {
        var queue = job.Spec.Scheduling?.Queue is { Length: > 0 } name ? name : DefaultQueue;
        return _queues.Admits(queue) ? queue : Other;
    }

    public (string Queue, string Priority) PairOf(TrainingJob job)
    {
        var (queue, priority) = (QueueOf(job), job.Spec.Scheduling?.Priority ?? 0);
        return (queue, _pairs.Admits((queue, priority)) ? priority.ToString(CultureInfo.InvariantCulture) : Other);
    }

    public string AcceleratorOf(string? name) => name is not { Length: > 0 } ? UnknownAccelerator : _accelerators.Admits(name) ? name : Other;
}
