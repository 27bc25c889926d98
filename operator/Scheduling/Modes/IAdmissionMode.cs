using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.TrainingJobs;

namespace Trestle.Operator.Scheduling.Modes;

/// <summary>One way of holding a job back until all of it fits. What it decides follows from what is seen alone; others apply it.</summary>
internal interface IAdmissionMode
{
    /// <summary>Which one.</summary>
    SchedulingMode Mode { get; }

    /// <summary>Why this cluster hasn't got it, as a sentence that says what to change; null when it has.</summary>
    string? Missing { get; }

    /// <summary>Why it can't admit such a job, as a sentence that says what to change; null when it can.</summary>
    string? WhyRefused(TrainingJobSpec spec);

    /// <summary>Fields of the job that it doesn't look at.</summary>
    IEnumerable<string> Ignored(TrainingJobSpec spec);

    /// <summary>What to do now for a job whose status names this mode.</summary>
    ModePlan Plan(Observed seen, DateTimeOffset now);

    /// <summary>What the pods of an attempt have of it; null when that is not known yet.</summary>
    PodExtras? Extras(TrainingJob job, int attempt);

    /// <summary>What must be there before the first pod of an attempt; null for nothing.</summary>
    /// <param name="job">The job.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="pod">Any of its pods.</param>
    ObjectChange? Group(TrainingJob job, int attempt, V1Pod pod);
}
