using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Trestle.Bridge.Login;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Jobs;

/// <summary>
/// Carries the submissions of one user to one login node: what waits goes together into one script, and a few scripts go side by
/// side. Never more channels than sshd allows on a connection, with room for the poller and logs.
/// </summary>
/// <param name="node">The login node.</param>
/// <param name="root">Where attempt directories are, as a word of a script.</param>
/// <param name="fail">Named points at which tests end the process.</param>
/// <param name="log">Where it is told.</param>
internal sealed class SubmissionLane(ILoginNode node, string root, FailPoints fail, ILogger log)
{
    /// <summary>Attempts in one script, at most.</summary>
    public const int MostTogether = 32;

    /// <summary>Scripts side by side.</summary>
    public const int Channels = 4;

    private const int MostLetters = 2_000_000;
    private readonly Channel<(SubmissionRequest Request, Action<SubmissionAnswer> Told)> _waiting = Channel.CreateUnbounded<(SubmissionRequest, Action<SubmissionAnswer>)>();

    /// <summary>Sends it soon; <paramref name="told"/> is called once, with whatever was heard.</summary>
    public void Send(SubmissionRequest request, Action<SubmissionAnswer> told) => _waiting.Writer.TryWrite((request, told));

    /// <summary>Works until cancelled.</summary>
    public Task RunAsync(CancellationToken ct) => Task.WhenAll(Enumerable.Range(0, Channels).Select(_ => WorkAsync(ct)));

    private async Task WorkAsync(CancellationToken ct)
    {
        while (await _waiting.Reader.WaitToReadAsync(ct))
        {
            var batch = Take();
            if (batch.Count == 0) continue;
            fail.At("submit.taken");
            var answers = await AskAsync([.. batch.Select(one => one.Request)], ct);
            fail.At("submit.answered");
            for (var index = 0; index < batch.Count; index++)
            {
                fail.At("submit.telling");
                batch[index].Told(answers[index]);
            }
        }
    }

    private List<(SubmissionRequest Request, Action<SubmissionAnswer> Told)> Take()
    {
        var batch = new List<(SubmissionRequest Request, Action<SubmissionAnswer> Told)>();
        var letters = 0;
        while (batch.Count < MostTogether && letters < MostLetters && _waiting.Reader.TryRead(out var one))
        {
            batch.Add(one);
            letters += one.Request.Length;
        }

        return batch;
    }

    private async Task<IReadOnlyList<SubmissionAnswer>> AskAsync(IReadOnlyList<SubmissionRequest> requests, CancellationToken ct)
    {
        var mark = Separator.New();
        try
        {
            fail.At("submit.sending");
            var running = node.RunAsync(SubmissionScript.Build(requests, root, mark), ct);
            fail.At("submit.underway");
            return SubmissionScript.Read((await running).Output, mark, requests.Count);
        }
        catch (Exception error) when (!ct.IsCancellationRequested && error is ContactLostException or OperationCanceledException or ArgumentException)
        {
            BridgeLog.SubmissionNotHeard(log, requests.Count, error.Message);
            return [.. requests.Select(_ => new NotHeard(Printable.Text(error.Message, 300)))];
        }
    }
}
