using Trestle.Api.V1Alpha1;
using Trestle.Operator.Scheduling;
using Trestle.Operator.Tests.Builders;
using Trestle.Runtime;
using static Trestle.Api.V1Alpha1.TrainingJobPhase;

namespace Trestle.Operator.Tests.Scheduling;

public sealed class JobCardsTests
{
    private readonly JobCards _cards = new(_ => Nodes.Gpus(1));

    [Fact]
    public void Jobs_are_sorted_by_what_they_do_with_nodes()
    {
        var group = AGroup.Named().Primary("train").Build();
        Read(AJob.Named("waits").Phase(Queued).Build(), AJob.Named("runs").Admitted(1, "n1").Phase(Running).Build(), AJob.Named("again").Phase(Restarting).Build(), AJob.Named("over").Phase(Succeeded).Build(), AGroup.JobOf(group, "train", Succeeded));

        Names(_cards.Waiting).ShouldBe(["waits", "again"]);
        Names(_cards.Holding).ShouldBe(["runs", "again"]);
        Names(_cards.Tasks).ShouldBe(["g-train"]);
    }

    [Fact]
    public void A_version_of_a_job_is_read_once_and_the_next_one_anew()
    {
        var (old, other) = (AJob.Named("a").Phase(Queued).Build(), AJob.Named("b").Phase(Queued).Build());
        Read(old, other);
        var gangs = _cards.Waiting.Select(card => card.Alone()).ToList();

        var changed = AJob.Named("a").Nodes(3).Phase(Queued).Build();
        Read(changed, other);
        _cards.Waiting[0].Alone()!.Jobs[0].Nodes.ShouldBe(3);
        _cards.Waiting[1].Alone().ShouldBeSameAs(gangs[1]);
        _cards.Job(changed.Key()).ShouldBeSameAs(changed);
    }

    [Fact]
    public void What_was_written_ahead_of_the_caches_counts()
    {
        var (cached, written) = (AJob.Named("a").Phase(Queued).Build(), AJob.Named("a").Admitted(1, "n1").Phase(Admitted).Build());
        _cards.Read([cached], _ => written);
        (_cards.Waiting.Count, _cards.Holding.Count).ShouldBe((0, 1));
    }

    [Fact]
    public void Jobs_that_are_gone_are_forgotten_once_they_are_many()
    {
        Read([.. Enumerable.Range(0, 1002).Select(number => AJob.Named($"gone-{number}").Phase(Queued).Build())]);
        Read(AJob.Named("left").Phase(Queued).Build());
        Names(_cards.Waiting).ShouldBe(["left"]);
        Should.Throw<KeyNotFoundException>(() => _cards.Job(new ObjectKey(AJob.Named("x").Build().Metadata.NamespaceProperty, "gone-7")));
    }

    [Fact]
    public void A_job_without_a_shape_is_asked_again()
    {
        Shape? shape = null;
        var cards = JobCards.Of([AJob.Named("a").Phase(Queued).Build()], _ => shape);
        cards.Waiting[0].Alone().ShouldBeNull();
        shape = Nodes.Gpus(1);
        cards.Waiting[0].Alone().ShouldNotBeNull();
    }

    private void Read(params TrainingJob[] jobs) => _cards.Read(jobs, job => job);

    private static IEnumerable<string> Names(IEnumerable<JobCard> cards) => cards.Select(card => card.Job.Metadata.Name);
}
