using Trestle.Operator.Telemetry;
using Trestle.Operator.Tests.Builders;

namespace Trestle.Operator.Tests.Telemetry;

public sealed class MetricLabelsTests
{
    private readonly MetricLabels _labels = new();

    [Fact]
    public void However_many_queues_users_make_up_their_series_are_bounded()
    {
        var queues = Enumerable.Range(0, 1000).Select(number => _labels.QueueOf(Job($"q{number}"))).ToHashSet();

        queues.Count.ShouldBe(MetricLabels.MostQueues + 1);
        queues.ShouldContain(MetricLabels.Other);
        _labels.QueueOf(Job("q7")).ShouldBe("q7");
        _labels.QueueOf(Job("q999")).ShouldBe(MetricLabels.Other);
    }

    [Fact]
    public void However_many_priorities_users_make_up_the_pairs_with_queues_are_bounded()
    {
        var pairs = new HashSet<(string, string)>();
        for (var priority = -1000; priority <= 1000; priority++)
        {
            for (var queue = 0; queue < 3; queue++) pairs.Add(_labels.PairOf(Job($"q{queue}", priority)));
        }

        pairs.Count.ShouldBeLessThanOrEqualTo(MetricLabels.MostPairs + MetricLabels.MostQueues + 1);
        _labels.PairOf(Job("q0", -1000)).ShouldBe(("q0", "-1000"));
        _labels.PairOf(Job("q0", 1000)).ShouldBe(("q0", MetricLabels.Other));
    }

    [Fact]
    public void However_many_accelerators_users_make_up_their_series_are_bounded()
    {
        Enumerable.Range(0, 1000).Select(number => _labels.AcceleratorOf($"X{number}")).Distinct().Count().ShouldBe(MetricLabels.MostAccelerators + 1);
        _labels.AcceleratorOf(null).ShouldBe(MetricLabels.UnknownAccelerator);
    }

    [Fact]
    public void A_job_without_a_queue_is_in_the_default_one_with_priority_0() => _labels.PairOf(AJob.Named().Build()).ShouldBe((MetricLabels.DefaultQueue, "0"));

    private static Trestle.Api.V1Alpha1.TrainingJob Job(string queue, int priority = 0) =>
        AJob.Named().With(job => job.Spec.Scheduling = new Trestle.Api.V1Alpha1.Scheduling { Queue = queue, Priority = priority }).Build();
}
