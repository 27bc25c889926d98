using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>The operator's own admission: the pass of <see cref="Scheduler"/> decides about all jobs at once, so there is nothing to do for one.</summary>
internal sealed class OperatorMode : IAdmissionMode
{
    public SchedulingMode Mode => SchedulingMode.Operator;

    public string? Missing => null;

    public string? WhyRefused(TrainingJobSpec spec) => null;

    public IEnumerable<string> Ignored(TrainingJobSpec spec) => [];

    public ModePlan Plan(Observed seen, DateTimeOffset now) => ModePlan.Nothing;

    public PodExtras Extras(TrainingJob job, int attempt) => new();

    public ObjectChange? Group(TrainingJob job, int attempt, V1Pod pod) => null;
}
