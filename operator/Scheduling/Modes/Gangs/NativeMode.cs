using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Scheduling.Modes.Gangs;

/// <summary>Gang scheduling of Kubernetes itself, in the newest version that the cluster has.</summary>
internal sealed class NativeMode(IOptionalCache<PodGroupV1Beta1> beta, IOptionalCache<PodGroupV1Alpha2> alpha) : IAdmissionMode
{
    public SchedulingMode Mode => SchedulingMode.Native;

    public string? Missing => beta.IsServed || alpha.IsServed ? null
        : "scheduling.mode Native needs the gang API of Kubernetes 1.36 or newer (scheduling.k8s.io PodGroup, feature gates GenericWorkload and GangScheduling), which this cluster hasn't got; use Auto or Operator";

    public string? WhyRefused(TrainingJobSpec spec) => null;

    public IEnumerable<string> Ignored(TrainingJobSpec spec)
    {
        if (spec.Scheduling?.Queue is not null) yield return "scheduling.queue";
        if (spec.Scheduling?.Priority is not null) yield return "scheduling.priority (set podTemplate.priorityClassName)";
        if (spec.Scheduling?.Topology is { Mode: TopologyMode.Preferred }) yield return "scheduling.topology.mode Preferred";
    }

    public ModePlan Plan(Observed seen, DateTimeOffset now) => beta.IsServed
        ? GangPlanner.Plan(seen, beta.Cache.Where(GangIndex.Owner, seen.Job.Metadata.Uid), PlacedElsewhere.Placer(seen.Job), now)
        : GangPlanner.Plan(seen, alpha.Cache.Where(GangIndex.Owner, seen.Job.Metadata.Uid), PlacedElsewhere.Placer(seen.Job), now);

    public PodExtras Extras(TrainingJob job, int attempt) => new() { PodGroupName = GangNames.Group(job, attempt) };

    public ObjectChange Group(TrainingJob job, int attempt, V1Pod pod)
    {
        var metadata = GangNames.Metadata(job, attempt);
        var spec = new NativeSpec
        {
            SchedulingPolicy = new NativeSchedulingPolicy { Gang = new NativeGang { MinCount = GangNames.Size(job) } },
            SchedulingConstraints = job.Spec.Scheduling?.Topology is { Mode: not TopologyMode.Preferred } topology ? new NativeConstraints { Topology = [new NativeTopology { Key = topology.Key }] } : null,
            PriorityClassName = pod.Spec.PriorityClassName,
        };
        return beta.IsServed
            ? new CreateObject<PodGroupV1Beta1>(new PodGroupV1Beta1 { Metadata = metadata, Spec = spec })
            : new CreateObject<PodGroupV1Alpha2>(new PodGroupV1Alpha2 { Metadata = metadata, Spec = spec });
    }
}
