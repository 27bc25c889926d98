using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Tests.Builders;

/// <summary>A TrainingJob as a sentence: <c>AJob.Named("train").Nodes(2).Admitted(1, "n1", "n2").Build()</c>.</summary>
internal sealed class AJob
{
    private readonly TrainingJob _job = new() { Spec = new TrainingJobSpec { Run = "true", Image = "image" } };

    private AJob(string name) => _job.Metadata = new V1ObjectMeta
    {
        Name = name,
        NamespaceProperty = "research",
        Uid = "uid-" + name,
        ResourceVersion = "1",
        Generation = 1,
        Finalizers = [Names.JobFinalizer],
    };

    public static AJob Named(string name = "train") => new(name);

    public AJob Nodes(int nodes) => With(job => job.Spec.Nodes = nodes);

    public AJob Restarts(int max) => With(job => (job.Spec.Recovery ??= new Recovery()).MaxRestarts = max);

    public AJob Phase(TrainingJobPhase phase) => With(job => (job.Status ??= new TrainingJobStatus()).Phase = phase);

    /// <summary>An attempt with one node a rank, in the order of the ranks.</summary>
    public AJob Admitted(int attempt, params string[] nodes) => Nodes(nodes.Length).Phase(TrainingJobPhase.Admitted).With(job =>
    {
        job.Status!.Attempt = attempt;
        job.Status.Admission = new AdmissionStatus { Attempt = attempt, Ranks = [.. nodes.Select((node, rank) => new RankAssignment { Rank = rank, Node = node })] };
    });

    public AJob Starting(DateTimeOffset since) => Phase(TrainingJobPhase.Starting).Holds("Progressing", since);

    public AJob Running(DateTimeOffset since) => Phase(TrainingJobPhase.Running).Holds("Progressing", since).Holds("PodsReady", since);

    public AJob Holds(string condition, DateTimeOffset since) => With(job => ((job.Status ??= new TrainingJobStatus()).Conditions ??= []).Add(new V1Condition
    {
        Type = condition,
        Status = "True",
        Reason = condition,
        Message = "",
        LastTransitionTime = since.UtcDateTime,
    }));

    public AJob Cancelled() => With(job => job.Metadata.Annotations = new Dictionary<string, string> { [Annotations.Cancel] = "true" });

    public AJob Deleted(DateTimeOffset at) => With(job => job.Metadata.DeletionTimestamp = at.UtcDateTime);

    public AJob With(Action<TrainingJob> change)
    {
        change(_job);
        return this;
    }

    public TrainingJob Build() => _job;
}
