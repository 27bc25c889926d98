using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Launch;

namespace Trestle.Operator.Tests.Launch;

/// <summary>A job with nothing unusual, for tests to change one thing of.</summary>
internal static class Sample
{
    public static PodSettings Settings { get; } = new(null, null, "http://operator:8090", null);

    public static Dictionary<string, Storage> Storages { get; } = new()
    {
        ["ckpts"] = new Storage { Metadata = new V1ObjectMeta { Name = "ckpts" }, Spec = new StorageSpec { File = new FileStorage { Path = "/shared/ckpts" } } },
    };

    public static TrainingJob Job(Action<TrainingJobSpec>? change = null)
    {
        var job = new TrainingJob
        {
            Metadata = new V1ObjectMeta { Name = "sft", NamespaceProperty = "research", Uid = "uid-1" },
            Spec = new TrainingJobSpec { Nodes = 3, Run = "python train.py" },
        };
        change?.Invoke(job.Spec);
        return job;
    }

    public static TrainingJob Task(string group, string task)
    {
        var job = Job();
        job.Metadata.Name = Names.TaskObject(group, task);
        job.Metadata.Labels = new Dictionary<string, string> { [Labels.JobGroup] = group, [Labels.Task] = task };
        job.Metadata.OwnerReferences = [new V1OwnerReference { ApiVersion = ApiGroup.ApiVersion, Kind = JobGroup.KubeKind, Name = group, Uid = "group-uid", Controller = true }];
        return job;
    }

    public static V1Pod Pod(Action<TrainingJobSpec>? change = null, PodSettings? settings = null) => LaunchObjects.Pod(Job(change), settings ?? Settings, Storages, 1, 4);

    public static V1Container MainContainer(this V1Pod pod) => pod.Spec.Containers.Single(container => container.Name == Names.MainContainer);

    public static V1Volume VolumeAt(this V1Pod pod, string path) => pod.Spec.Volumes.Single(volume => volume.Name == pod.MainContainer().VolumeMounts.Single(mount => mount.MountPath == path).Name);
}
