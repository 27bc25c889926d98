using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;

namespace Trestle.Operator.Telemetry;

/// <summary>Jobs by phase, and those that wait by queue and priority. Pure.</summary>
/// <param name="Phases">Jobs by phase; every phase is there.</param>
/// <param name="Queues">Waiting jobs, and since when the first of them waits, by queue and priority.</param>
/// <param name="Requested">GPUs that the waiting jobs ask for, by accelerator.</param>
internal sealed record QueueCensus(
    IReadOnlyDictionary<TrainingJobPhase, int> Phases,
    IReadOnlyDictionary<(string Queue, string Priority), (int Jobs, DateTime Oldest)> Queues,
    IReadOnlyDictionary<string, long> Requested)
{
    public static QueueCensus Take(IEnumerable<TrainingJob> jobs, MetricLabels labels, DateTime now)
    {
        var phases = Enum.GetValues<TrainingJobPhase>().ToDictionary(phase => phase, _ => 0);
        var queues = new Dictionary<(string, string), (int Jobs, DateTime Oldest)>();
        var requested = new Dictionary<string, long>();
        foreach (var job in jobs)
        {
            phases[job.Status?.Phase ?? TrainingJobPhase.Pending]++;
            if (!JobClock.IsWaiting(job, now)) continue;
            var (pair, since) = (labels.PairOf(job), JobClock.WaitsSince(job.Status!) ?? now);
            var (waiting, oldest) = queues.GetValueOrDefault(pair, (0, now));
            queues[pair] = (waiting + 1, since < oldest ? since : oldest);
            if (!Accelerators.TryParse(job.Spec.Resources?.Accelerators, out var accelerators, out _)) continue;
            var type = labels.AcceleratorOf(accelerators.Name);
            requested[type] = requested.GetValueOrDefault(type) + ((long)accelerators.Count * job.NodeCount);
        }

        return new QueueCensus(phases, queues, requested);
    }
}
