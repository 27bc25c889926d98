using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Tests.Builders;

/// <summary>A JobGroup as a sentence: <c>AGroup.Named("g").Primary("train").Auxiliary("eval").Delay("30s").Build()</c>.</summary>
internal sealed class AGroup
{
    private readonly JobGroup _group = new();

    private AGroup(string name) => _group.Metadata = new V1ObjectMeta
    {
        Name = name,
        NamespaceProperty = "research",
        Uid = "uid-" + name,
        ResourceVersion = "1",
        Generation = 1,
        Finalizers = [Names.GroupFinalizer],
    };

    public static AGroup Named(string name = "g") => new(name);

    public AGroup Task(string name, TaskRole? role = null) => With(group => group.Spec.Tasks.Add(new JobGroupTask { Name = name, Role = role, Job = new TrainingJobSpec { Run = "true" } }));

    public AGroup Primary(string name) => Task(name, TaskRole.Primary);

    public AGroup Auxiliary(string name) => Task(name, TaskRole.Auxiliary);

    public AGroup Service(string name, int replicas = 1, Action<InferenceServiceSpec>? change = null) => With(group =>
    {
        var spec = new InferenceServiceSpec { Model = new ModelSpec { Uri = "hf://Qwen/Qwen3-8B" }, Replicas = replicas };
        change?.Invoke(spec);
        group.Spec.Tasks.Add(new JobGroupTask { Name = name, Service = spec });
    });

    public AGroup Delay(string duration) => With(group => group.Spec.TerminationDelay = TerminationDelay.Of(duration));

    public AGroup Cancelled() => With(group => group.Metadata.Annotations = new Dictionary<string, string> { [Annotations.Cancel] = "true" });

    public AGroup With(Action<JobGroup> change)
    {
        change(_group);
        return this;
    }

    public JobGroup Build() => _group;

    /// <summary>The service of a task, controlled by the group.</summary>
    public static InferenceService ServiceOf(JobGroup group, string task, InferenceServicePhase? phase = null, string? message = null)
    {
        var service = Operator.JobGroups.GroupObjects.Inference(group, group.Spec.Tasks.Single(known => known.Name == task));
        service.Metadata.Uid = "uid-" + service.Metadata.Name;
        service.Metadata.ResourceVersion = "1";
        if (phase is not null) service.Status = new InferenceServiceStatus { Phase = phase, Message = message };
        if (phase is InferenceServicePhase.Available) service.Status!.Conditions = [new V1Condition { Type = "Available", Status = "True" }];
        return service;
    }

    /// <summary>The job of a task, controlled by the group.</summary>
    public static TrainingJob JobOf(JobGroup group, string task, TrainingJobPhase? phase = null, string? message = null, Action<TrainingJob>? change = null)
    {
        var job = Operator.JobGroups.GroupObjects.Job(group, group.Spec.Tasks.Single(known => known.Name == task));
        job.Metadata.Uid = "uid-" + job.Metadata.Name;
        job.Metadata.ResourceVersion = "1";
        if (phase is not null) job.Status = new TrainingJobStatus { Phase = phase, Message = message };
        if (phase is TrainingJobPhase.Running) job.Status!.Timeline = new TrainingJobTimeline { StartedAt = new DateTime(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc) };
        change?.Invoke(job);
        return job;
    }
}
