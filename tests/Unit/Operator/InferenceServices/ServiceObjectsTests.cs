using System.Text;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.Launch;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.InferenceServices;

public sealed class ServiceObjectsTests
{
    private static readonly PodSettings Settings = new(null, null, "", null);

    [Fact]
    public void Every_service_finds_the_pods_it_is_for()
    {
        var service = AService.Named().Nodes(2).TrainedBy("trainer").Build();
        var pods = new[] { ServicePods.Gateway(service, Settings), ServicePods.Replica(service, Settings, 0, 0), ServicePods.Replica(service, Settings, 0, 1) };
        var found = ServiceObjects.Services(service).ToDictionary(one => one.Metadata.Name, one => string.Join(' ', pods.Where(pod => Selects(one.Spec.Selector, pod)).Select(pod => pod.Metadata.Name)));
        found.ShouldBe(new Dictionary<string, string>
        {
            ["policy"] = "policy-gateway",
            ["policy-weights"] = "policy-gateway",
            ["policy-replicas"] = "policy-0-0",
            ["policy-nodes"] = "policy-0-0 policy-0-1",
        }, ignoreOrder: true);
    }

    [Fact]
    public void The_urls_lead_to_ports_of_the_services_that_need_no_mapping()
    {
        var service = AService.Named().TrainedBy("trainer").Build();
        (service.Url, service.WeightsUrl).ShouldBe(("http://policy.research.svc:8000", "http://policy-weights.research.svc:8001"));
        foreach (var (name, port) in new[] { ("policy", 8000), ("policy-weights", 8001) })
            ServiceObjects.Services(service).Single(one => one.Metadata.Name == name).Spec.Ports.ShouldContain(known => known.Port == port && known.TargetPort.Value == known.Port.ToString(null, null));
        ServiceObjects.Services(service).ShouldNotContain(one => one.Metadata.Name == "policy-nodes");
    }

    [Fact]
    public void Nodes_of_a_replica_find_each_other_before_they_are_ready_and_clients_only_the_ready()
    {
        var services = ServiceObjects.Services(AService.Named().Nodes(2).Build()).ToDictionary(one => one.Metadata.Name);
        services["policy-nodes"].Spec.PublishNotReadyAddresses.ShouldBe(true);
        services["policy-replicas"].Spec.PublishNotReadyAddresses.ShouldNotBe(true);
    }

    [Fact]
    public void The_token_is_32_random_bytes()
    {
        var tokens = Enumerable.Range(0, 3).Select(_ => Encoding.ASCII.GetString(ServiceObjects.Token(AService.Named().Build()).Data["token"])).ToList();
        tokens.ShouldAllBe(token => token.Length == 64 && token.All(char.IsAsciiHexDigitLower));
        tokens.ShouldBeUnique();
    }

    [Fact]
    public void The_gateway_may_write_the_status_of_its_own_service_and_of_pods_and_nothing_else()
    {
        var role = ServiceObjects.Role(AService.Named().Build());
        role.Rules.Where(rule => rule.Verbs.Except(["get", "list", "watch"]).Any()).Select(rule => $"{rule.Resources.Single()} {string.Join(',', rule.ResourceNames ?? [])} {rule.Verbs.Single()}")
            .ShouldBe(["inferenceservices/status policy patch", "pods/status  patch"]);
        role.Rules.ShouldNotContain(rule => rule.Resources.Contains("secrets"));
    }

    [Fact]
    public void The_control_port_is_the_gateways_alone()
    {
        var rules = Rules(AService.Named().TrainedBy("trainer"));
        Sources(rules, 8081).ShouldBe(["uid-policy gateway"]);
        Sources(rules, 8080).ShouldBe(["anybody", "uid-policy gateway"], ignoreOrder: true);
    }

    [Fact]
    public void Who_needs_a_key_goes_through_the_gateway() =>
        Sources(Rules(AService.Named().With(spec => spec.Auth = new AuthSpec { ApiKeySecretRef = new NameReference { Name = "key" } })), 8080).ShouldBe(["uid-policy gateway"]);

    [Fact]
    public void Weights_are_sent_by_pods_of_the_group_alone_and_only_where_a_trainer_sends_them()
    {
        var rules = GatewayNetwork.Policy(AService.Named().TrainedBy("trainer").OfGroup("rl", "policy").Build()).Spec.Ingress;
        Sources(rules, 8001).ShouldBe(["rl"]);
        Sources(rules, 8000).ShouldBe(["anybody"]);
        AService.Named().Build().WeightsUrl.ShouldBeNull();
        ServiceObjects.Services(AService.Named().Build()).ShouldNotContain(one => one.Metadata.Name == "policy-weights");
    }

    [Fact]
    public void A_key_holds_whatever_else_is_open() =>
        Sources(Rules(AService.Named().With(spec => spec.Auth = new AuthSpec { IsolateAdmin = false, ApiKeySecretRef = new NameReference { Name = "key" } })), 8080).ShouldBe(["uid-policy gateway"]);

    [Fact]
    public void A_trainer_of_the_group_reaches_any_port_that_nccl_takes() =>
        Sources(Rules(AService.Named().TrainedBy("trainer").OfGroup("rl", "policy")), 40000).ShouldBe(["uid-policy replica", "rl"], ignoreOrder: true);

    [Fact]
    public void Without_isolation_there_is_no_policy() =>
        ReplicaNetwork.Policy(AService.Named().With(spec => spec.Auth = new AuthSpec { IsolateAdmin = false }).Build()).ShouldBeNull();

    [Fact]
    public void A_drain_leaves_the_leaders_that_must_stay()
    {
        var service = AService.Named().Nodes(2).Build();
        var budget = ServiceObjects.Budget(service, 3).Spec;
        budget.MinAvailable.Value.ShouldBe("3");
        Selects(budget.Selector.MatchLabels, ServicePods.Replica(service, Settings, 0, 0)).ShouldBeTrue();
        Selects(budget.Selector.MatchLabels, ServicePods.Replica(service, Settings, 0, 1)).ShouldBeFalse();
    }

    private static IList<V1NetworkPolicyIngressRule> Rules(AService service) => ReplicaNetwork.Policy(service.Build())!.Spec.Ingress;

    private static IEnumerable<string> Sources(IEnumerable<V1NetworkPolicyIngressRule> rules, int port) => rules
        .Where(rule => rule.Ports.Any(known => int.Parse(known.Port.Value, null) <= port && port <= (known.EndPort ?? int.Parse(known.Port.Value, null))))
        .SelectMany(rule => rule.FromProperty?.Select(peer => string.Join(' ', peer.PodSelector.MatchLabels.OrderByDescending(label => label.Key, StringComparer.Ordinal).Select(label => label.Value))) ?? ["anybody"]);

    private static bool Selects(IEnumerable<KeyValuePair<string, string>> selector, V1Pod pod) => selector.All(label => pod.Metadata.Labels.TryGetValue(label.Key, out var value) && value == label.Value);
}
