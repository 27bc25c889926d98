using Trestle.WeightsGateway.Engines;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Tests.Replicas;

public sealed class RotationPlannerTests
{
    private static readonly EngineView Current = new(false, "2", 1);

    [Fact]
    public void A_current_replica_takes_requests() => Judge(new(Current)).ShouldBe(new(ReplicaState.Ready, true));

    [Fact]
    public void A_replica_with_another_version_takes_none() => Judge(new(Current with { Version = "default" })).ShouldBe(new(ReplicaState.Stale, false));

    [Fact]
    public void One_that_is_paused_by_an_update_stays() => Judge(new(Current with { IsPaused = true }) { IsInUpdate = true }).ShouldBe(new(ReplicaState.Paused, true));

    [Fact]
    public void One_that_is_paused_by_nobody_must_be_resumed() => Judge(new(Current with { IsPaused = true })).ShouldBe(new(ReplicaState.Paused, false, true));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_that_failed_an_update_takes_none_whatever_it_says(bool answers) =>
        Judge(new(answers ? Current : null) { HasFailed = true, IsInUpdate = true }).ShouldBe(new(ReplicaState.Quarantined, false));

    [Fact]
    public void One_that_is_being_ended_takes_none() => Judge(new(Current) { IsDraining = true }).ShouldBe(new(ReplicaState.Draining, false));

    [Theory]
    [InlineData(true, ReplicaState.Lost)]
    [InlineData(false, ReplicaState.Loading)]
    public void One_that_does_not_answer_takes_none(bool once, ReplicaState state) => Judge(new(null) { HasAnswered = once }).ShouldBe(new(state, false));

    private static ReplicaVerdict Judge(ReplicaFacts facts) => RotationPlanner.Judge(facts, version => version == "2");
}
