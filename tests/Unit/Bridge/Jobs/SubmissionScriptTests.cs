using Microsoft.Extensions.Logging.Abstractions;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Tests.Fakes;

namespace Trestle.Bridge.Tests.Jobs;

public sealed class SubmissionScriptTests : IDisposable
{
    private readonly FakeSlurm _slurm = new();

    public void Dispose() => _slurm.Dispose();

    [Fact]
    public async Task An_attempt_whose_directory_another_bridge_has_just_made_is_sent_all_the_same()
    {
        Directory.CreateDirectory(Path.Combine(_slurm.Root, "0123abcd-a1"));
        (await SendAsync("0123abcd-a1")).ShouldBe(new Submitted("1"));
        _slurm.Jobs.ShouldBe([("1", "0123abcd-a1")]);
    }

    private async Task<SubmissionAnswer> SendAsync(string key)
    {
        using var end = new CancellationTokenSource();
        var lane = new SubmissionLane(_slurm, _slurm.Root, new FailPoints(), NullLogger.Instance);
        var working = lane.RunAsync(end.Token);
        var heard = new TaskCompletionSource<SubmissionAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        lane.Send(new SubmissionRequest(key, key + "-uid", SubmissionWish.Submit) { Try = 1, IsFirst = true, Script = "#!/bin/sh\ntrue\n" }, heard.SetResult);
        var answer = await heard.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await end.CancelAsync();
        await working.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return answer;
    }
}
