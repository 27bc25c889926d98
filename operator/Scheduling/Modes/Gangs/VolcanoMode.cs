using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Scheduling.Modes.Gangs;

/// <summary>Volcano, 1.10 or newer: older ones don't know scheduling gates.</summary>
/// <param name="groups">Its groups.</param>
/// <param name="scheduler">Name under which it schedules pods.</param>
internal sealed class VolcanoMode(IOptionalCache<VolcanoPodGroup> groups, string scheduler) : IAdmissionMode
{
    private const string GroupAnnotation = "scheduling.k8s.io/group-name";

    public SchedulingMode Mode => SchedulingMode.Volcano;

    public string? Missing => groups.IsServed ? null
        : "scheduling.mode Volcano needs Volcano (scheduling.volcano.sh/v1beta1 PodGroup), which this cluster hasn't got; install it, or use Auto or Operator";

    public string? WhyRefused(TrainingJobSpec spec) => spec.Scheduling?.Topology is { Mode: not TopologyMode.Preferred }
        ? "scheduling.mode Volcano does not keep scheduling.topology; use another mode, or set the topology's mode to Preferred"
        : null;

    public IEnumerable<string> Ignored(TrainingJobSpec spec)
    {
        if (spec.Scheduling?.Priority is not null) yield return "scheduling.priority (set podTemplate.priorityClassName)";
        if (spec.Scheduling?.Topology is not null) yield return "scheduling.topology";
    }

    public ModePlan Plan(Observed seen, DateTimeOffset now) =>
        GangPlanner.Plan(seen, groups.Cache.Where(GangIndex.Owner, seen.Job.Metadata.Uid), PlacedElsewhere.Placer(seen.Job), now);

    public PodExtras Extras(TrainingJob job, int attempt) => new()
    {
        SchedulerName = scheduler,
        Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { [GroupAnnotation] = GangNames.Group(job, attempt) },
    };

    public ObjectChange Group(TrainingJob job, int attempt, V1Pod pod) => new CreateObject<VolcanoPodGroup>(new VolcanoPodGroup
    {
        Metadata = GangNames.Metadata(job, attempt),
        Spec = new VolcanoSpec
        {
            MinMember = GangNames.Size(job),
            Queue = job.Spec.Scheduling?.Queue,
            PriorityClassName = pod.Spec.PriorityClassName,
            MinResources = GangNames.Total(pod.Spec, GangNames.Size(job)),
        },
    });
}
