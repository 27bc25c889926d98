using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Scheduling.Modes.Gangs;

/// <summary>The coscheduling plugin of a scheduler.</summary>
/// <param name="groups">Its groups.</param>
/// <param name="scheduler">Name of the scheduler that has the plugin.</param>
internal sealed class CoschedulingMode(IOptionalCache<CoschedulingPodGroup> groups, string scheduler) : IAdmissionMode
{
    private const string GroupLabel = "scheduling.x-k8s.io/pod-group";

    public SchedulingMode Mode => SchedulingMode.Coscheduling;

    public string? Missing => groups.IsServed ? null
        : "scheduling.mode Coscheduling needs the coscheduling plugin (scheduling.x-k8s.io/v1alpha1 PodGroup), which this cluster hasn't got; install it, or use Auto or Operator";

    public string? WhyRefused(TrainingJobSpec spec) => spec.Scheduling?.Topology is { Mode: not TopologyMode.Preferred }
        ? "scheduling.mode Coscheduling does not keep scheduling.topology; use another mode, or set the topology's mode to Preferred"
        : null;

    public IEnumerable<string> Ignored(TrainingJobSpec spec)
    {
        if (spec.Scheduling?.Queue is not null) yield return "scheduling.queue";
        if (spec.Scheduling?.Priority is not null) yield return "scheduling.priority (set podTemplate.priorityClassName)";
        if (spec.Scheduling?.Topology is not null) yield return "scheduling.topology";
    }

    public ModePlan Plan(Observed seen, DateTimeOffset now) =>
        GangPlanner.Plan(seen, groups.Cache.Where(GangIndex.Owner, seen.Job.Metadata.Uid), PlacedElsewhere.Placer(seen.Job), now);

    public PodExtras Extras(TrainingJob job, int attempt) => new()
    {
        SchedulerName = scheduler,
        Labels = new Dictionary<string, string>(StringComparer.Ordinal) { [GroupLabel] = GangNames.Group(job, attempt) },
    };

    public ObjectChange Group(TrainingJob job, int attempt, V1Pod pod) => new CreateObject<CoschedulingPodGroup>(new CoschedulingPodGroup
    {
        Metadata = GangNames.Metadata(job, attempt),
        Spec = new CoschedulingSpec { MinMember = GangNames.Size(job), MinResources = GangNames.Total(pod.Spec, GangNames.Size(job)) },
    });
}
