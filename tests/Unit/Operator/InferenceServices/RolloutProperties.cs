using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.Tests.Builders;
using Trestle.Operator.Views;

namespace Trestle.Operator.Tests.InferenceServices;

/// <summary>Services whose pods do as they like, while people change templates and numbers.</summary>
public sealed class RolloutProperties
{
    // Of each step: what happens, to which replica.
    private static readonly Gen<(int Kind, int Which)[]> Steps = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 9]).Array[0, 60];

    private static readonly Gen<(int Nodes, int Surge, int Unavailable, (int Kind, int Which)[] Steps)> Histories = Gen.Select(Gen.Int[1, 3], Gen.Int[0, 3], Gen.Int[0, 3], Steps);

    [Fact]
    public void No_plan_of_ours_takes_a_service_below_the_replicas_it_must_keep() => Histories.Sample(history =>
    {
        var world = new World(history.Nodes, history.Surge, history.Unavailable);
        foreach (var step in history.Steps)
        {
            world.Happen(step);
            var (before, plan) = (world.Ready, world.Plan());
            world.Apply(plan);
            world.Ready.ShouldBeGreaterThanOrEqualTo(Math.Min(before, plan.Fewest));
            plan.Effects.OfType<MakePods>().ShouldAllBe(make => make.Replica < world.Wanted + world.Surge);
        }
    });

    [Fact]
    public void Every_service_comes_to_have_just_the_replicas_it_should_of_its_last_template() => Histories.Sample(history =>
    {
        var world = new World(history.Nodes, history.Surge, history.Unavailable);
        foreach (var step in history.Steps)
        {
            world.Happen(step);
            world.Apply(world.Plan());
        }

        for (var round = 0; round < 100; round++)
        {
            world.Settle();
            world.Apply(world.Plan());
        }

        world.Plan().Effects.ShouldBeEmpty();
        world.Names.ShouldBe(Enumerable.Range(0, world.Wanted).SelectMany(replica => Enumerable.Range(0, history.Nodes).Select(node => $"policy-{replica}-{node}@{world.Hash}")), ignoreOrder: true);
    });

    private sealed class World(int nodes, int surge, int unavailable)
    {
        private readonly InferenceService _service = AService.Named().Replicas(2).Nodes(nodes).Rollout($"{surge}", $"{unavailable}").Build();
        private readonly Dictionary<string, PodView> _pods = [];
        private DateTimeOffset _now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        private int _template;
        private int _uids;

        public int Wanted => _service.Spec.Replicas!.Value;

        public int Surge => surge;

        public string Hash => $"t{_template}";

        public IEnumerable<string> Names => _pods.Values.Select(pod => $"{pod.Metadata.Name}@{pod.Metadata.Labels[Api.Launch.Labels.TemplateHash]}");

        public int Ready => ServicePlanner.Replicas(Seen(), _now).Count(replica => replica.IsReady);

        public ServicePlan Plan() => ServicePlanner.Plan(Seen(), _now);

        public void Happen((int Kind, int Which) step)
        {
            _now += TimeSpan.FromSeconds(1);
            switch (step.Kind)
            {
                case 0:
                    _template++;
                    break;
                case 1:
                    _service.Spec.Replicas = step.Which % 5;
                    break;
                case 2 when Some(step.Which) is { } pod:
                    pod.Status!.Phase = "Failed";
                    break;
                case 3 when Some(step.Which) is { } pod:
                    pod.Metadata.DeletionTimestamp ??= _now.UtcDateTime;
                    break;
                case 4 or 5:
                    foreach (var name in _pods.Keys.Where(name => _pods[name].IsTerminating()).Skip(step.Which % 2).ToList()) _pods.Remove(name);
                    break;
                case >= 6 when Some(step.Which) is { } pod && pod.Status!.Phase != "Failed":
                    BecomeReady(pod);
                    break;
            }
        }

        // Everything goes well.
        public void Settle()
        {
            _now += TimeSpan.FromSeconds(1);
            foreach (var name in _pods.Keys.Where(name => _pods[name].IsTerminating()).ToList()) _pods.Remove(name);
            foreach (var pod in _pods.Values.Where(pod => pod.Status!.Phase != "Failed")) BecomeReady(pod);
        }

        public void Apply(ServicePlan plan)
        {
            foreach (var effect in plan.Effects)
            {
                if (effect is MakePods make) foreach (var node in make.Nodes) Make(make.Replica, node);
                if (effect is EndReplica end) foreach (var pod in end.Pods) pod.Metadata.DeletionTimestamp ??= _now.UtcDateTime;
            }
        }

        private void Make(int replica, int node)
        {
            var pod = AReplica.Of(_service, replica, node, Hash).Gated().Build();
            pod.Metadata.Uid = $"pod-{_uids++}";
            _pods.Add(pod.Metadata.Name, pod);
        }

        private static void BecomeReady(PodView pod)
        {
            pod.Spec.SchedulingGates = null;
            (pod.Spec.NodeName, pod.Status!.Phase) = ("n1", "Running");
            pod.Status.Conditions = [new PodConditionView { Type = "Ready", Status = "True" }];
        }

        private PodView? Some(int which) => _pods.Count == 0 ? null : _pods.OrderBy(pair => pair.Key, StringComparer.Ordinal).ElementAt(which % _pods.Count).Value;

        private ObservedService Seen() => new(_service, [.. _pods.Values, AReplica.Gateway(_service, Hash)]) { ReplicaHash = Hash, GatewayHash = Hash };
    }
}
