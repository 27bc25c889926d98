using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;

namespace Trestle.Operator.JobGroups;

/// <summary>A group → the objects it consists of. Pure; each is controlled by the group.</summary>
public static class GroupObjects
{
    private static readonly ResourceKind GroupKind = ResourceKind.Of<JobGroup>();

    /// <summary>Makes the hosts of all tasks known to each other by name, before they are ready.</summary>
    public static V1Service Service(JobGroup group) => new()
    {
        ApiVersion = "v1",
        Kind = "Service",
        Metadata = Metadata(group, group.Metadata.Name),
        Spec = new V1ServiceSpec { ClusterIP = "None", PublishNotReadyAddresses = true, Selector = new Dictionary<string, string> { [Labels.JobGroup] = group.Metadata.Name } },
    };

    /// <summary>The job of a task.</summary>
    public static TrainingJob Job(JobGroup group, JobGroupTask task)
    {
        var job = new TrainingJob { Metadata = Metadata(group, Names.TaskObject(group.Metadata.Name, task.Name)), Spec = SpecOf(group, task) };
        job.Metadata.Labels[Labels.Task] = task.Name;
        var services = group.Spec.Tasks.Where(other => other.Service is not null).Select(other => other.Name).ToList();
        job.Metadata.Annotations = Annotated((Annotations.User, group.Annotation(Annotations.User)), (Annotations.Services, services.Count == 0 ? null : string.Join(',', services)));
        return job;
    }

    /// <summary>The InferenceService of a task.</summary>
    public static InferenceService Inference(JobGroup group, JobGroupTask task)
    {
        var service = new InferenceService { Metadata = Metadata(group, Names.TaskObject(group.Metadata.Name, task.Name)), Spec = task.Service! };
        service.Metadata.Labels[Labels.Task] = task.Name;
        service.Metadata.Annotations = Annotated((Annotations.User, group.Annotation(Annotations.User)));
        return service;
    }

    private static Dictionary<string, string>? Annotated(params (string Name, string? Value)[] all)
    {
        var known = all.Where(one => one.Value is not null).ToDictionary(one => one.Name, one => one.Value!);
        return known.Count == 0 ? null : known;
    }

    private static TrainingJobSpec SpecOf(JobGroup group, JobGroupTask task)
    {
        var spec = System.Text.Json.JsonSerializer.Deserialize(
            System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(task.Job!, TrestleJson.Default.TrainingJobSpec), TrestleJson.Default.TrainingJobSpec)!;
        spec.Group = group.Metadata.Name;
        return spec;
    }

    private static V1ObjectMeta Metadata(JobGroup group, string name) => new()
    {
        Name = name,
        NamespaceProperty = group.Metadata.NamespaceProperty,
        OwnerReferences = [group.AsController(GroupKind)],
        Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue, [Labels.JobGroup] = group.Metadata.Name },
    };
}
