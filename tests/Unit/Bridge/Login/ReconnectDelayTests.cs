using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Trestle.Bridge.Login;

namespace Trestle.Bridge.Tests.Login;

public sealed class ReconnectDelayTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void The_wait_doubles_up_to_a_minute_and_passes()
    {
        var delay = new ReconnectDelay(_time, wait => wait);
        delay.Remaining.ShouldBe(TimeSpan.Zero);
        foreach (var seconds in (int[])[1, 2, 4, 8, 16, 32, 60, 60])
        {
            delay.Failed();
            delay.Remaining.ShouldBe(TimeSpan.FromSeconds(seconds));
            _time.Advance(TimeSpan.FromSeconds(seconds));
            delay.Remaining.ShouldBe(TimeSpan.Zero);
        }
    }

    [Fact]
    public void An_answer_ends_it()
    {
        var delay = new ReconnectDelay(_time, wait => wait);
        delay.Failed();
        delay.Failed();
        delay.Succeeded();
        delay.Remaining.ShouldBe(TimeSpan.Zero);
        delay.Failed();
        delay.Remaining.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Whatever_happens_the_wait_is_within_a_minute_and_a_half() =>
        Gen.Select(Gen.Double[0.5, 1.5], Gen.OneOf(Gen.Const(-1), Gen.Int[0, 200])).Array[1, 50].Sample(steps =>
        {
            var time = new FakeTimeProvider();
            var factor = 1.0;
            var delay = new ReconnectDelay(time, wait => wait * factor);
            foreach (var (jitter, step) in steps)
            {
                factor = jitter;
                if (step < 0) delay.Succeeded();
                else delay.Failed();
                delay.Remaining.ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromSeconds(90));
                if (step > 0) time.Advance(TimeSpan.FromSeconds(step));
            }
        });
}
