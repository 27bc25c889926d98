using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Operator.Tests.Builders;

/// <summary>An InferenceService as a sentence: <c>AService.Named("policy").Replicas(2).Nodes(2).Build()</c>.</summary>
internal sealed class AService
{
    private readonly InferenceService _service = new() { Spec = new InferenceServiceSpec { Model = new ModelSpec { Uri = "hf://Qwen/Qwen3-8B" } } };

    private AService(string name) => _service.Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "research", Uid = "uid-" + name, ResourceVersion = "1", Generation = 1 };

    public static AService Named(string name = "policy") => new(name);

    public AService Replicas(int replicas) => With(spec => spec.Replicas = replicas);

    public AService Nodes(int nodes) => With(spec => (spec.Parallelism ??= new ParallelismSpec()).Nodes = nodes);

    public AService Rollout(string? surge, string? unavailable) => With(spec => spec.Rollout = new RolloutSpec { MaxSurge = surge, MaxUnavailable = unavailable });

    public AService Accelerators(string text) => With(spec => (spec.Resources ??= new Resources()).Accelerators = text);

    public AService TrainedBy(string task, WeightsTransport? transport = null) =>
        With(spec => (spec.Weights ??= new WeightsSpec()).Source = new WeightsSource { Type = WeightsSourceType.Trainer, TrainerTask = task, Transport = transport });

    public AService OfGroup(string group, string task) => Change(service =>
    {
        service.Metadata.OwnerReferences = [new V1OwnerReference { ApiVersion = ApiGroup.ApiVersion, Kind = JobGroup.KubeKind, Name = group, Uid = "uid-" + group, Controller = true }];
        service.Metadata.Labels = new Dictionary<string, string> { [Labels.JobGroup] = group, [Labels.Task] = task };
    });

    public AService With(Action<InferenceServiceSpec> change) => Change(service => change(service.Spec));

    public AService Change(Action<InferenceService> change)
    {
        change(_service);
        return this;
    }

    public InferenceService Build() => _service;
}
