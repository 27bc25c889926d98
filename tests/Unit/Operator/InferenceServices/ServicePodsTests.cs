using System.Text.Json.Nodes;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.Launch;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.InferenceServices;

public sealed class ServicePodsTests
{
    private static readonly PodSettings Settings = new(null, "node:1", "http://operator:8090", null) { GatewayImage = "gateway:1" };

    [Fact]
    public void A_replica_is_gated_named_by_ordinal_and_ready_when_its_weights_are_current()
    {
        var pod = Pod(AService.Named(), replica: 2);
        pod.Metadata.Name.ShouldBe("policy-2-0");
        pod.Spec.SchedulingGates.Single().Name.ShouldBe("trestle.dev/admission");
        pod.Spec.ReadinessGates.Single().ConditionType.ShouldBe("trestle.dev/weights-current");
        (pod.Spec.Hostname, pod.Spec.Subdomain, pod.Spec.RestartPolicy).ShouldBe(("policy-2-0", "policy-replicas", "Always"));
        pod.Spec.AutomountServiceAccountToken.ShouldBe(false);
        pod.Metadata.OwnerReferences.Single().Uid.ShouldBe("uid-policy");
        foreach (var (label, value) in new[] { (Labels.Service, "policy"), (Labels.ServiceUid, "uid-policy"), (Labels.Replica, "2"), (Labels.Rank, "0"), (Labels.Component, "replica") })
            pod.Metadata.Labels.ShouldContainKeyAndValue(label, value);
    }

    [Fact]
    public void The_filter_alone_listens_on_the_pods_address_and_probes_go_through_it()
    {
        var pod = Pod(AService.Named());
        var filter = pod.Spec.InitContainers.Single();
        (filter.Name, filter.Image, filter.RestartPolicy).ShouldBe(("filter", "gateway:1", "Always"));
        string.Join(' ', filter.Command).ShouldBe("trestle-weights-gateway filter --engine http://127.0.0.1:8000 --token-file /trestle/gateway/token --public 0.0.0.0:8080 --control 0.0.0.0:8081 --drain-seconds 45");
        ShouldBeHardened(filter);
        var engine = Engine(pod);
        Told(engine.StartupProbe).ShouldBe(("/v1/models", "8080", 10, 180));
        Told(engine.ReadinessProbe).ShouldBe(("/health", "8080", 5, 3));
        Told(engine.LivenessProbe).ShouldBe(("/health", "8080", 10, 6));
        engine.VolumeMounts.ShouldNotContain(mount => mount.Name == GatewayProgram.TokenVolume, "the token is none of the engine's business");
    }

    [Fact]
    public void Where_pods_share_a_network_each_engine_listens_on_the_address_of_its_pod()
    {
        var pod = ServicePods.Replica(AService.Named().Build(), Settings with { SharedNetwork = true }, 0, 0);
        Engine(pod).Args.ShouldContain("$(TRESTLE_POD_IP)");
        Engine(pod).Env.Single(variable => variable.Name == "TRESTLE_POD_IP").ValueFrom.FieldRef.FieldPath.ShouldBe("status.podIP");
        pod.Spec.InitContainers.Single().Command.ShouldContain("http://$(TRESTLE_POD_IP):8000");
    }

    [Fact]
    public void Probes_are_as_the_user_says() => Told(Engine(Pod(AService.Named().With(spec => spec.Health = new HealthSpec
    {
        Startup = new ProbeSpec { FailureThreshold = 600 },
        Readiness = new ProbeSpec { Path = "/ping", PeriodSeconds = 1 },
    }))).ReadinessProbe).ShouldBe(("/ping", "8080", 1, 3));

    [Fact]
    public void Open_control_routes_are_asked_for_by_name() =>
        string.Join(' ', Pod(AService.Named().With(spec => spec.Auth = new AuthSpec { IsolateAdmin = false })).Spec.InitContainers.Single().Command).ShouldEndWith("--open-admin true");

    [Fact]
    public void Workers_have_no_filter_no_probes_and_no_gate_and_no_node_of_an_engine_is_started_again_by_itself()
    {
        var worker = Pod(AService.Named().Nodes(2), node: 1);
        worker.Metadata.Name.ShouldBe("policy-0-1");
        worker.Spec.InitContainers.ShouldBeNull();
        worker.Spec.ReadinessGates.ShouldBeNull();
        (Engine(worker).StartupProbe, Engine(worker).LivenessProbe).ShouldBe((null, null));
        (worker.Spec.RestartPolicy, worker.Spec.Subdomain).ShouldBe(("Never", "policy-nodes"));
    }

    [Fact]
    public void A_pod_that_ends_is_out_of_rotation_first_and_then_drains()
    {
        var pod = Pod(AService.Named().With(spec => spec.Termination = new TerminationSpec { PreStop = "10s", Drain = "90s" }));
        Engine(pod).Lifecycle.PreStop.Sleep.Seconds.ShouldBe(10);
        string.Join(' ', Engine(pod).Args).ShouldContain("--shutdown-timeout 90");
        pod.Spec.TerminationGracePeriodSeconds.ShouldBe(105);
    }

    [Fact]
    public void Secrets_are_referred_to_and_never_written_down()
    {
        var env = Engine(Pod(AService.Named().With(spec => (spec.Model.TokenSecretRef, spec.Model.CredentialsSecretRef) = (new NameReference { Name = "hub" }, new NameReference { Name = "s3" })))).Env;
        var references = env.Where(variable => variable.ValueFrom?.SecretKeyRef is not null).ToDictionary(variable => variable.Name, variable => $"{variable.ValueFrom.SecretKeyRef.Name}/{variable.ValueFrom.SecretKeyRef.Key}");
        references.ShouldContainKeyAndValue("HF_TOKEN", "hub/token");
        references.ShouldContainKeyAndValue("AWS_SECRET_ACCESS_KEY", "s3/AWS_SECRET_ACCESS_KEY");
        env.Single(variable => variable.Name == "AWS_ENDPOINT_URL").ValueFrom.SecretKeyRef.Optional.ShouldBe(true);
    }

    [Fact]
    public void Accelerators_memory_and_shared_memory_are_those_of_a_job()
    {
        var pod = Pod(AService.Named().With(spec => spec.Resources = new Resources { Accelerators = "H100:2", Memory = "64Gi", SharedMemory = "8Gi" }));
        pod.Spec.NodeSelector.ShouldContainKeyAndValue(Labels.Accelerator, "H100");
        Engine(pod).Resources.Limits["nvidia.com/gpu"].ToString().ShouldBe("2");
        VolumeAt(pod, "/dev/shm").EmptyDir.SizeLimit.ToString().ShouldBe("8Gi");
        VolumeAt(Pod(AService.Named().Accelerators("H100:2")), "/dev/shm").EmptyDir.Medium.ShouldBe("Memory");
        Engine(Pod(AService.Named().Accelerators("H100"))).VolumeMounts.ShouldNotContain(mount => mount.MountPath == "/dev/shm");
    }

    [Fact]
    public void Downloads_go_to_the_cache_and_a_model_by_path_needs_none()
    {
        Engine(Pod(AService.Named())).Env.Single(variable => variable.Name == "HF_HOME").Value.ShouldBe("/models");
        var claim = Pod(AService.Named().With(spec => spec.Model.Cache = new ModelCache { Type = ModelCacheType.PersistentVolumeClaim, Source = "models", MountPath = "/cache" }));
        VolumeAt(claim, "/cache").PersistentVolumeClaim.ClaimName.ShouldBe("models");
        Engine(Pod(AService.Named().With(spec => spec.Model.Uri = "/opt/model"))).VolumeMounts.ShouldBeEmpty();
    }

    [Fact]
    public void An_engine_starts_in_its_workdir()
    {
        var pod = Pod(AService.Named().With(spec => spec.Workdir = new Workdir { ConfigMap = new ConfigMapWorkdir { Name = "code" } }));
        Engine(pod).WorkingDir.ShouldBe("/trestle/workdir");
        VolumeAt(pod, "/trestle/workdir").ConfigMap.Name.ShouldBe("code");
    }

    [Fact]
    public void The_control_routes_of_the_engine_are_on_when_weights_come_from_elsewhere()
    {
        Engine(Pod(AService.Named().TrainedBy("trainer"))).Env.ShouldContain(variable => variable.Name == "VLLM_SERVER_DEV_MODE" && variable.Value == "1");
        Engine(Pod(AService.Named())).Env.ShouldNotContain(variable => variable.Name == "VLLM_SERVER_DEV_MODE");
    }

    [Fact]
    public void A_template_is_laid_over_the_pod()
    {
        var service = AService.Named().With(spec => spec.PodTemplate = Template("""{"nodeSelector":{"zone":"a"},"volumes":[{"name":"code","configMap":{"name":"code"}}],"containers":[{"name":"engine","volumeMounts":[{"name":"code","mountPath":"/code"}]}]}"""));
        var pod = Pod(service);
        pod.Spec.NodeSelector.ShouldContainKeyAndValue("zone", "a");
        VolumeAt(pod, "/code").ConfigMap.Name.ShouldBe("code");
        Engine(pod).Args.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("""{"schedulingGates":[]}""", "schedulingGates")]
    [InlineData("""{"readinessGates":[]}""", "readinessGates")]
    [InlineData("""{"containers":[{"name":"engine","command":["sh"]}]}""", "spec.engine.command")]
    [InlineData("""{"initContainers":[{"name":"filter","image":"mine"}]}""", "filter")]
    public void A_template_that_takes_away_what_a_replica_stands_on_is_refused(string template, string named)
    {
        var service = AService.Named().With(spec => spec.PodTemplate = Template(template));
        ServicePods.Problem(service.Build()).ShouldNotBeNull().ShouldContain(named);
        Should.Throw<LaunchRefusedException>(() => Pod(service));
    }

    [Fact]
    public void The_hash_tells_templates_apart_and_nothing_else()
    {
        var hash = Hash(AService.Named());
        Pod(AService.Named(), replica: 7).Metadata.Labels.ShouldContainKeyAndValue(Labels.TemplateHash, hash);
        Hash(AService.Named().Replicas(5).Rollout("2", "1")).ShouldBe(hash);
        Hash(AService.Named().With(spec => spec.Weights = new WeightsSpec { Version = "7" })).ShouldBe(hash);
        Hash(AService.Named().With(spec => spec.Engine = new EngineSpec { Args = ["--enforce-eager"] })).ShouldNotBe(hash);
    }

    [Theory]
    [InlineData("4Gi", "--request-mebibytes 1024 ")]
    [InlineData("256Mi", "--request-mebibytes 64 ")]
    [InlineData("1Ti", "--request-mebibytes 65536 ")]
    public void A_quarter_of_the_gateways_memory_keeps_requests(string memory, string told)
    {
        var service = AService.Named().With(spec => spec.Router = new RouterSpec { Memory = memory }).Build();
        var gateway = ServicePods.Gateway(service, Settings).Spec.Containers.Single();
        (string.Join(' ', gateway.Command).Contains(told, StringComparison.Ordinal), gateway.Resources.Limits["memory"].ToString()).ShouldBe((true, memory), string.Join(' ', gateway.Command));
        ServicePods.Problem(service).ShouldBeNull();
    }

    [Fact]
    public void A_gateway_with_too_little_memory_is_refused() =>
        ServicePods.Problem(AService.Named().With(spec => spec.Router = new RouterSpec { Memory = "100M" }).Build()).ShouldBe("spec.router.memory 100M is too little for the gateway; give it 256Mi or more");

    [Fact]
    public void The_gateway_runs_as_nobody_with_its_own_rights_and_the_key_of_clients()
    {
        var pod = ServicePods.Gateway(AService.Named().With(spec => spec.Auth = new AuthSpec { ApiKeySecretRef = new NameReference { Name = "key" } }).Build(), Settings);
        pod.Metadata.Name.ShouldBe("policy-gateway");
        (pod.Spec.ServiceAccountName, pod.Spec.RestartPolicy, pod.Spec.AutomountServiceAccountToken).ShouldBe(("policy-gateway", "Always", true));
        var container = pod.Spec.Containers.Single();
        string.Join(' ', container.Command).ShouldBe(
            "trestle-weights-gateway gateway --namespace research --service policy --token-file /trestle/gateway/token --drain-seconds 45 --request-mebibytes 256 --api-key-file /trestle/api-key/api-key --public 0.0.0.0:8000 --weights 0.0.0.0:8001 --health 0.0.0.0:9090");
        ShouldBeHardened(container);
        Told(container.ReadinessProbe).ShouldBe(("/readyz", "9090", 2, 3));
        pod.Spec.SchedulingGates.ShouldBeNull();
    }

    private static void ShouldBeHardened(V1Container container)
    {
        var context = container.SecurityContext;
        (context.RunAsNonRoot, context.AllowPrivilegeEscalation, context.ReadOnlyRootFilesystem).ShouldBe((true, false, true));
        context.Capabilities.Drop.ShouldBe(["ALL"]);
    }

    private static (string, string, int?, int?) Told(V1Probe probe) => (probe.HttpGet.Path, probe.HttpGet.Port.Value, probe.PeriodSeconds, probe.FailureThreshold);

    private static V1Pod Pod(AService service, int replica = 0, int node = 0) => ServicePods.Replica(service.Build(), Settings, replica, node);

    private static string Hash(AService service) => ServicePods.ReplicaHash(service.Build(), Settings);

    private static V1Container Engine(V1Pod pod) => pod.Spec.Containers.Single(container => container.Name == "engine");

    private static V1Volume VolumeAt(V1Pod pod, string path) => pod.Spec.Volumes.Single(volume => volume.Name == Engine(pod).VolumeMounts.Single(mount => mount.MountPath == path).Name);

    private static JsonObject Template(string json) => JsonNode.Parse(json)!.AsObject();
}
