using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Login;

namespace Trestle.Bridge.Tests.Jobs;

public sealed class JobPollerTests
{
    private static readonly Dictionary<string, string> Wanted = new() { ["7"] = "key-a1" };

    [Theory]
    [InlineData("")]
    [InlineData("Welcome to the cluster!\n")]
    [InlineData("7~x")]
    public async Task An_answer_without_its_end_is_no_empty_queue(string answer)
    {
        var poller = Poller(new ScriptedLogin(_ => answer));
        await poller.LookAsync(TestContext.Current.CancellationToken);
        await poller.LookAsync(TestContext.Current.CancellationToken);
        poller.View.Of("7").ShouldBe(new OutOfSight("the login node's answer is not whole"));
    }

    [Fact]
    public async Task A_banner_before_the_answer_does_no_harm()
    {
        var poller = Poller(new ScriptedLogin(script => "Welcome!\n" + Ended(script, 0)));
        await poller.LookAsync(TestContext.Current.CancellationToken);
        poller.View.Of("7").ShouldBeOfType<Missing>();
    }

    [Fact]
    public async Task A_failed_squeue_is_lost_contact_and_a_failed_sacct_is_not()
    {
        var poller = Poller(new ScriptedLogin(script => Ended(script, 1)));
        await poller.LookAsync(TestContext.Current.CancellationToken);
        await poller.LookAsync(TestContext.Current.CancellationToken);
        poller.View.IsLost.ShouldBeTrue();
        poller = Poller(new ScriptedLogin(script => Ended(script, script.Contains("sacct", StringComparison.Ordinal) ? 1 : 0)));
        await poller.LookAsync(TestContext.Current.CancellationToken);
        await poller.LookAsync(TestContext.Current.CancellationToken);
        poller.View.Of("7").ShouldBeOfType<Missing>().AccountingAnswered.ShouldBeFalse();
    }

    [Fact]
    public void It_asks_less_often_while_nobody_answers()
    {
        var poller = Poller(new ScriptedLogin(_ => ""));
        Enumerable.Range(0, 8).Select(failures => poller.Pause(failures, 0.5).TotalSeconds).ShouldBe([10, 10, 20, 40, 80, 120, 120, 120]);
        (poller.Pause(3, 0), poller.Pause(3, 1)).ShouldBe((TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(50)));
    }

    private static JobPoller Poller(ILoginNode node) => new(node, TimeSpan.FromSeconds(10), () => Wanted, new FakeTimeProvider(), NullLogger.Instance);

    // The mark is in the script's last line: echo "~abcdefgh end $?".
    private static string Ended(string script, int code) => $"{script.Split("echo \"")[1].Split(' ')[0]} end {code}\n";

    private sealed class ScriptedLogin(Func<string, string> answer) : ILoginNode
    {
        public Task<CommandOutput> RunAsync(string script, CancellationToken ct) => Task.FromResult(new CommandOutput(0, Encoding.UTF8.GetBytes(answer(script)), default));
    }
}
