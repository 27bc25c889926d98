using System.Text.Json.Nodes;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.Tests.Builders;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.InferenceServices;

public sealed class ServiceEndpointsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Replicas_with_an_address_are_listed_with_whether_they_are_ready()
    {
        var service = AService.Named().Replicas(3).TrainedBy("trainer").Build();
        var list = List(service,
            AReplica.Of(service, 0).On("n1").Ready().With(pod => pod.Status!.PodIP = "10.0.0.7"),
            AReplica.Of(service, 1).On("n1").With(pod => pod.Status!.PodIP = "fd00::7"),
            AReplica.Of(service, 2).Gated());
        ((string?)list["url"], (string?)list["weightsUrl"]).ShouldBe((service.Url, service.WeightsUrl));
        list["replicas"]!.AsArray().Select(one => $"{one!["name"]} {one["url"]} {one["ready"]}").ShouldBe([$"policy-0-0 http://10.0.0.7:{ServicePorts.Filter} true", $"policy-1-0 http://[fd00::7]:{ServicePorts.Filter} false"]);
    }

    [Fact]
    public void With_a_key_the_gateway_alone_asks_them()
    {
        var service = AService.Named().With(spec => spec.Auth = new AuthSpec { ApiKeySecretRef = new NameReference { Name = "key" } }).Build();
        List(service, AReplica.Of(service).On("n1").Ready().With(pod => pod.Status!.PodIP = "10.0.0.7"))["replicas"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public void A_list_is_written_when_it_changes_and_not_more_often_than_every_two_seconds_whatever_the_clock_does()
    {
        var memory = new ServiceMemory("uid");
        memory.UntilPublished("one", Noon).ShouldBe(TimeSpan.Zero);
        memory.Published("one", Noon);
        memory.UntilPublished("one", Noon.AddMinutes(1)).ShouldBeNull();
        memory.UntilPublished("two", Noon.AddSeconds(0.5)).ShouldBe(TimeSpan.FromSeconds(1.5));
        memory.UntilPublished("two", Noon.AddSeconds(2)).ShouldBe(TimeSpan.Zero);
        memory.UntilPublished("two", Noon.AddHours(-1)).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task The_list_follows_the_replicas_and_is_never_taken_from_somebody_else()
    {
        using var world = new ServiceWorld(AService.Named().Replicas(2).Accelerators("H100:2").Build(), "n1", "n2");
        await world.SettleAsync();
        Listed(world).ShouldBe(2);
        await world.ChangeAsync(spec => spec.Replicas = 1);
        await world.SettleAsync();
        Listed(world).ShouldBe(1);

        using var taken = new ServiceWorld(AService.Named().Build(), "n1");
        taken.Make(new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "policy-endpoints", NamespaceProperty = "research" } });
        await taken.SettleAsync();
        taken.Service.Status!.Message.ShouldBe("ConfigMap policy-endpoints is there already and is not of this service; delete it, or rename the service");
    }

    private static int Listed(ServiceWorld world) =>
        JsonNode.Parse(world.Api.Find<V1ConfigMap>(new ObjectKey("research", "policy-endpoints"))!.Data["endpoints.json"])!["replicas"]!.AsArray().Count(one => (bool)one!["ready"]!);

    private static JsonNode List(InferenceService service, params AReplica[] pods)
    {
        var seen = new ObservedService(service, [.. pods.Select(pod => pod.Build())]);
        return JsonNode.Parse(ServicePlanner.Plan(seen, Noon).Endpoints.Data["endpoints.json"])!;
    }
}
