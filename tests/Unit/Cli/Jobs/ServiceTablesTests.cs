using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Jobs;
using Trestle.Cli.Output;

namespace Trestle.Cli.Tests.Jobs;

public sealed class ServiceTablesTests
{
    [Fact]
    public void The_queue_shows_services_by_themselves_below_the_jobs()
    {
        var train = AJob.Named("train").Nodes(1).Gpus("H100:8").Running(TimeSpan.FromMinutes(2)).Build();
        var jobs = new JobSet([train], []) { Services = [Service(InferenceServicePhase.Starting, "1/2 replicas ready; replica 1: loading")] };
        PlainTable.Render(QueueTable.Build(jobs, AJob.Noon, allNamespaces: false)).ShouldBe(
            """
            NAME     USER    QUEUE   BACKEND      GPUS   STATUS     TIME   RESTARTS   REASON
            train    alice   -       kubernetes   8      Running    2m     0          4/4 nodes running on kubernetes
            policy   alice   -       kubernetes   8      Starting   3m     -          1/2 replicas ready; replica 1: loading

            """);
        ListedJobs.Active(jobs).Select(listed => $"{listed.Kind}/{listed.Name}").ShouldBe(["trainingjob.trestle.dev/train", "inferenceservice.trestle.dev/policy"]);
    }

    [Fact]
    public void A_description_tells_where_a_service_is_asked_and_what_its_replicas_do() =>
        new JobDescription(AJob.Noon, " -n research").Render(FoundJob.Of(Service(InferenceServicePhase.Degraded, "1/2 replicas ready; replica 1: loading")), [], [], []).ShouldBe(
            """
            service policy
              Namespace:  research
              User:       alice
              Created:    2026-11-24 11:57:00Z (3m ago)
              Status:     Degraded
              Why:        1/2 replicas ready; replica 1: loading
              URL:        http://policy.research.svc:8000
              Model:      hf://Qwen/Qwen3-8B as policy
              Replicas:   1/2 ready
              Needs:      2 nodes, H100:2 each, for one replica
              Version:    7
              Requests:   3 running, 1 waiting

            Replicas:
              POD          STATE     VERSION   RESTARTS   WHY
              policy-0-0   Ready     7         0          -
              policy-1-0   Loading   -         2          no answer yet

            Next:
              trestle logs policy -f -n research
              kubectl port-forward svc/policy 8000 -n research
              trestle cancel policy -n research

            """);

    [Theory]
    [InlineData(InferenceServicePhase.Available, "ReplicasReady", 1L, true, 0)]
    [InlineData(InferenceServicePhase.Available, "ReplicasReady", 0L, false, 0)]
    [InlineData(InferenceServicePhase.Failed, "Unsupported", 1L, true, 1)]
    [InlineData(InferenceServicePhase.Pending, "ScaledToZero", 1L, true, 1)]
    [InlineData(InferenceServicePhase.Pending, "ReplicasPending", 1L, false, 1)]
    [InlineData(InferenceServicePhase.Degraded, "ReplicasNotReady", 1L, false, 1)]
    public void A_launch_waits_until_a_service_is_ready_or_never_will_be(InferenceServicePhase phase, string reason, long observed, bool settled, int code)
    {
        var service = Service(phase, "why");
        (service.Status!.Reason, service.Status.ObservedGeneration) = (reason, observed);

        var found = FoundJob.Of(service);

        (found.IsSettled, found.ExitCode, found.HasEnded, found.Label).ShouldBe((settled, code, false, "service policy"));
    }

    [Fact]
    public void A_service_that_is_being_removed_is_not_ready()
    {
        var service = Service(InferenceServicePhase.Available, "2/2 replicas ready");
        service.Metadata.DeletionTimestamp = AJob.Noon;

        (FoundJob.Of(service).Phase, FoundJob.Of(service).IsSettled).ShouldBe(("Terminating", false));
    }

    private static InferenceService Service(InferenceServicePhase phase, string message) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = "policy",
            NamespaceProperty = "research",
            Generation = 1,
            CreationTimestamp = AJob.Noon.AddMinutes(-3),
            Annotations = new Dictionary<string, string> { ["trestle.dev/user"] = "alice" },
        },
        Spec = new InferenceServiceSpec
        {
            Model = new ModelSpec { Uri = "hf://Qwen/Qwen3-8B", ServedName = "policy" },
            Replicas = 2,
            Parallelism = new ParallelismSpec { Nodes = 2 },
            Resources = new Resources { Accelerators = "H100:2" },
        },
        Status = new InferenceServiceStatus
        {
            Phase = phase,
            Message = message,
            ObservedGeneration = 1,
            ReadyReplicas = 1,
            Url = "http://policy.research.svc:8000",
            Weights = new WeightsStatus { ServingVersion = "7" },
            Load = new LoadStatus { Running = 3, Waiting = 1 },
            ReplicaStatuses = [new ReplicaStatus { Name = "policy-0-0", State = "Ready", Version = "7" }, new ReplicaStatus { Name = "policy-1-0", State = "Loading", Restarts = 2, Message = "no answer yet" }],
        },
    };
}
