using Trestle.Operator.Health;

namespace Trestle.Operator.Tests.Health;

public sealed class OperatorHealthTests
{
    [Theory]
    [InlineData(OperatorPhase.Starting, false)]
    [InlineData(OperatorPhase.StandingBy, true)]
    [InlineData(OperatorPhase.FillingCaches, false)]
    [InlineData(OperatorPhase.Working, true)]
    [InlineData(OperatorPhase.Failing, false)]
    [InlineData(OperatorPhase.Stopping, false)]
    public void It_is_ready_when_it_does_its_part(OperatorPhase phase, bool isReady)
    {
        var health = new OperatorHealth();
        health.Is(phase);
        health.IsReady.ShouldBe(isReady);
        health.Text.ShouldNotBeEmpty();
    }

    [Fact]
    public void What_is_stopping_never_gets_ready_again()
    {
        var health = new OperatorHealth();
        health.Is(OperatorPhase.Stopping);
        health.Is(OperatorPhase.Working);
        (health.IsReady, health.Text).ShouldBe((false, "stopping"));
    }
}
