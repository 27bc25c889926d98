using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes.Kueue;

/// <summary>Kueue admits, through a Workload of the job's own.</summary>
/// <param name="workloads">Workloads of jobs.</param>
/// <param name="queues">All LocalQueues.</param>
/// <param name="flavors">All ResourceFlavors.</param>
/// <param name="podOf">The pod of any rank of a job.</param>
internal sealed class KueueMode(IOptionalCache<KueueWorkloadView> workloads, IOptionalCache<KueueLocalQueueView> queues, IOptionalCache<KueueFlavorView> flavors, Func<TrainingJob, V1Pod> podOf) : IAdmissionMode
{
    public SchedulingMode Mode => SchedulingMode.Kueue;

    public string? Missing => workloads.IsServed && queues.IsServed && flavors.IsServed ? null
        : "scheduling.mode Kueue needs Kueue (kueue.x-k8s.io/v1beta2), which this cluster hasn't got; install it, or use Auto or Operator";

    public bool IsLocalQueue(ObjectKey name) => Missing is null && queues.Cache.Find(name) is not null;

    public string? WhyRefused(TrainingJobSpec spec) =>
        string.IsNullOrEmpty(spec.Scheduling?.Queue) ? "scheduling.mode Kueue needs scheduling.queue, the name of a LocalQueue in the job's namespace; set it"
        : spec.Scheduling.Topology is { Key.Length: > 63 } ? "scheduling.topology.key may have at most 63 characters with Kueue; shorten it"
        : null;

    public IEnumerable<string> Ignored(TrainingJobSpec spec)
    {
        if (spec.Scheduling?.Preemptible is not null) yield return "scheduling.preemptible (Kueue's queues decide)";
        if (spec.Scheduling?.MinRuntime is not null) yield return "scheduling.minRuntime (Kueue's queues decide)";
    }

    public ModePlan Plan(Observed seen, DateTimeOffset now)
    {
        var workload = Find(seen.Job);
        var missing = workload is null ? null : KueuePods.Flavors(workload).FirstOrDefault(name => Flavor(name) is null);
        return KueuePlanner.Plan(seen, workload, () => new CreateObject<KueueWorkload>(WorkloadBuilder.Build(seen.Job, podOf(seen.Job))), missing, now);
    }

    public PodExtras? Extras(TrainingJob job, int attempt) => Find(job) is { } workload ? KueuePods.Extras(workload, Flavor) : null;

    public ObjectChange? Group(TrainingJob job, int attempt, V1Pod pod) => null;

    private KueueFlavorView? Flavor(string name) => flavors.Cache.Find(new ObjectKey("", name));

    private KueueWorkloadView? Find(TrainingJob job) =>
        workloads.Cache.Find(new ObjectKey(job.Metadata.NamespaceProperty ?? "", WorkloadBuilder.Name(job))) is { } found && found.IsControlledBy(job) ? found : null;
}
