using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.InferenceServices;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.InferenceServices;

public sealed class AutoscalerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(21, 0, 1, 5)]
    [InlineData(1000, 0, 1, 8)]
    [InlineData(0, 50, 4, 1)]
    [InlineData(3, 0, 4, 4)]
    public void As_many_are_asked_for_as_keep_the_target_and_none_less_while_anything_waits(int waiting, int running, int now, int wanted) =>
        Autoscaler.Recommend(new AutoscalingSpec { Min = 1, Max = 8, Target = 5 }, new LoadStatus { Waiting = waiting, Running = running }, now).ShouldBe(wanted);

    [Fact]
    public void Running_requests_count_when_they_are_asked_for() =>
        Autoscaler.Recommend(new AutoscalingSpec { Max = 8, Target = 10, Metric = AutoscalingMetric.RequestsRunning }, new LoadStatus { Waiting = 0, Running = 31 }, 1).ShouldBe(4);

    [Fact]
    public void Without_a_report_all_stays_as_it_is() => Autoscaler.Recommend(new AutoscalingSpec { Min = 1, Max = 8 }, null, 3).ShouldBe(3);

    [Fact]
    public void More_come_at_once_and_fewer_when_less_was_asked_for_long_enough()
    {
        var service = AService.Named().With(spec => spec.Autoscaling = new AutoscalingSpec { Min = 1, Max = 8 }).Build();
        Wanted(30, []).ShouldBe(6);
        service.Status!.DesiredReplicas = 6;
        Wanted(0, [new(Now.AddMinutes(-4), 6)]).ShouldBe(6);
        Wanted(0, [new(Now.AddMinutes(-6), 6), new(Now.AddMinutes(-2), 3)]).ShouldBe(3);
        Wanted(0, [new(Now.AddMinutes(-6), 6)]).ShouldBe(1);

        int? Wanted(int waiting, Recommendation[] recent)
        {
            service.Status ??= new InferenceServiceStatus();
            service.Status.Load = new LoadStatus { Waiting = waiting, Running = 0 };
            return ServicePlanner.Plan(new ObservedService(service, []) { ReplicaHash = AReplica.Hash, GatewayHash = AReplica.Hash, Recommendations = recent }, Now).Status.DesiredReplicas;
        }
    }

    [Fact]
    public void It_stays_within_its_limits_whatever_the_load() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[1, 10], Gen.Int[0, 20], Gen.Int[0, 1000], Gen.Int[0, 20].Array[0, 5]).Sample((min, max, now, waiting, recent) =>
        {
            var spec = new AutoscalingSpec { Min = Math.Min(min, max), Max = max, Target = 3 };
            var wanted = Autoscaler.Recommend(spec, new LoadStatus { Waiting = waiting, Running = 1 }, now);
            var decided = Autoscaler.Decide(spec, now, wanted, recent.Select(replicas => new Recommendation(Now, replicas)));
            decided.ShouldBeInRange(spec.Min.Value, spec.Max.Value);
            decided.ShouldBeGreaterThanOrEqualTo(Math.Min(wanted, max));
        });

    [Theory]
    [InlineData("25%", 10, true, 3)]
    [InlineData("25%", 10, false, 2)]
    [InlineData("3", 10, true, 3)]
    [InlineData(null, 10, true, 7)]
    [InlineData("much", 10, true, 7)]
    public void Shares_are_rounded_as_those_of_deployments_are(string? text, int whole, bool up, int number) => Shares.Of(text, whole, 7, up).ShouldBe(number);
}
