using System.Runtime.CompilerServices;
using Trestle.Cli.Logs;
using Trestle.Cli.Tests.Commands;

namespace Trestle.Cli.Tests.Logs;

public sealed class LogFollowerTests
{
    private readonly FakeLogs _logs = new();
    private readonly CapturedHost _host = new();

    [Fact]
    public async Task Every_line_of_every_rank_is_printed_with_its_rank_and_the_command_ends_with_the_jobs_code()
    {
        _logs.Script(
            _ => _logs.Start("a", rank: 0).Start("b", rank: 1).Write("a", "one").Write("b", "two"),
            _ => _logs.End("a").End("b").Finish("Failed", 7));

        (await FollowAsync(prefixed: true)).Code.ShouldBe(7);
        _host.OutLines.ShouldBe(["[train-0] one", "[train-1] two"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_cut_connection_neither_loses_nor_repeats_a_line()
    {
        _logs.Script(
            _ => _logs.Start("a").Write("a", "one").Write("a", "two").CutAfter("a", 2),
            _ => _logs.Write("a", "three"),
            _ => _logs.End("a").Finish("Succeeded", 0));

        (await FollowAsync()).Code.ShouldBe(0);
        _host.OutLines.ShouldBe(["one", "two", "three"]);
    }

    [Fact]
    public async Task A_stream_that_closes_while_the_container_runs_is_opened_again()
    {
        _logs.Script(
            _ => _logs.Start("a").Write("a", "one").CloseAfter("a", 1),
            _ => _logs.Write("a", "two"),
            _ => _logs.End("a").Finish("Succeeded", 0));

        await FollowAsync();
        _host.OutLines.ShouldBe(["one", "two"]);
    }

    [Fact]
    public async Task A_log_that_cant_be_read_for_a_while_is_told_once_and_read_when_it_can()
    {
        _logs.Script(
            _ => _logs.Start("a").Write("a", "one").Refuse("a", 9, "the bridge is away"),
            _ => _logs.End("a").Finish("Succeeded", 0));

        await FollowAsync();
        _host.OutLines.ShouldBe(["one"]);
        _host.ErrorText.Split("train-0: the bridge is away").Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_restart_is_followed_into_the_new_attempt()
    {
        _logs.Script(
            _ => _logs.Start("a", attempt: 1).Write("a", "first attempt"),
            _ => _logs.End("a").Restart(),
            _ => _logs.Start("a2", attempt: 2).Write("a2", "second attempt"),
            _ => _logs.End("a2").Finish("Succeeded", 0));

        await FollowAsync();
        _host.OutLines.ShouldBe(["first attempt", "second attempt"]);
        _host.ErrorText.ShouldContain("train starts again: attempt 2");
    }

    [Fact]
    public async Task While_the_job_waits_the_reason_is_told_once()
    {
        _logs.Script(
            _ => _logs.Wait("waiting for 32 H100: 8 free"),
            _ => { },
            _ => _logs.Start("a").Write("a", "one"),
            _ => _logs.End("a").Finish("Succeeded", 0));

        await FollowAsync();
        _host.ErrorText.Split("waiting for 32 H100").Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_job_that_is_deleted_ends_the_command_with_an_error()
    {
        _logs.Script(_ => _logs.Start("a").Write("a", "one"), _ => _logs.End("a").Delete());
        (await FollowAsync()).Code.ShouldBe(ExitCode.Error);
        _host.OutLines.ShouldBe(["one"]);
    }

    [Fact]
    public async Task A_job_that_never_was_is_not_found()
    {
        _logs.Script(_ => _logs.Delete());
        (await Should.ThrowAsync<CliException>(() => FollowAsync())).ExitCode.ShouldBe(ExitCode.NotFound);
    }

    private Task<LogSubject> FollowAsync(bool prefixed = false) =>
        new LogFollower(_logs, new LogSelection(), new LogPrinter(_host.Host, timestamps: false) { Prefixed = prefixed }, new HastyTime())
            .RunAsync(new LogQuery(Follow: true), TestContext.Current.CancellationToken);

    /// <summary>Delays end at once, so that the follower's polls are the only clock.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime > TimeSpan.FromSeconds(5) ? dueTime : TimeSpan.Zero, period);
    }

    /// <summary>A cluster of one job whose next step happens each time the follower has caught up with the last one.</summary>
    private sealed class FakeLogs : ILogSource
    {
        private readonly Lock _sync = new();
        private readonly Dictionary<string, List<string>> _lines = [];
        private readonly Dictionary<string, LogRank> _ranks = [];
        private readonly Dictionary<string, int> _cuts = [];
        private readonly Dictionary<string, int> _closes = [];
        private readonly Dictionary<string, (int Times, string Why)> _refusals = [];
        private readonly Dictionary<string, int> _read = [];
        private Queue<Action<FakeLogs>> _steps = new();
        private LogSubject? _subject = new("Running", false, 0, "");
        private int _written;

        public void Script(params Action<FakeLogs>[] steps) => _steps = new Queue<Action<FakeLogs>>(steps);

        public FakeLogs Start(string pod, int rank = 0, int attempt = 1)
        {
            _ranks[pod] = new LogRank(pod, pod, "train", null, rank, attempt, LogState.Running);
            _lines[pod] = [];
            _subject = new LogSubject("Running", false, 0, "");
            return this;
        }

        public FakeLogs Write(string pod, string text)
        {
            _lines[pod].Add($"2026-11-24T02:00:{_written++ / 2:00}.{_written:000}Z {text}");
            return this;
        }

        public FakeLogs CutAfter(string pod, int lines)
        {
            _cuts[pod] = lines;
            return this;
        }

        public FakeLogs Refuse(string pod, int times, string why)
        {
            _refusals[pod] = (times, why);
            return this;
        }

        public FakeLogs CloseAfter(string pod, int lines)
        {
            _closes[pod] = lines;
            return this;
        }

        public FakeLogs End(string pod)
        {
            _ranks[pod] = _ranks[pod] with { State = LogState.Ended };
            return this;
        }

        public void Restart() => _subject = new LogSubject("Restarting", false, 0, "a rank failed");

        public void Wait(string why) => _subject = new LogSubject("Queued", false, 0, why);

        public void Finish(string phase, int code) => _subject = new LogSubject(phase, true, code, "");

        public void Delete() => _subject = null;

        public Task<LogSubject?> FindAsync(CancellationToken cancellation)
        {
            lock (_sync)
            {
                if (_ranks.Keys.All(pod => _read.GetValueOrDefault(pod) == _lines[pod].Count) && _steps.TryDequeue(out var step))
                {
                    step(this);
                }

                return Task.FromResult(_subject);
            }
        }

        public Task<IReadOnlyList<LogRank>> RanksAsync(CancellationToken cancellation)
        {
            lock (_sync)
            {
                return Task.FromResult<IReadOnlyList<LogRank>>([.. _ranks.Values]);
            }
        }

        public async IAsyncEnumerable<LogLine> ReadAsync(LogRank rank, LogQuery query, [EnumeratorCancellation] CancellationToken cancellation)
        {
            if (_refusals.TryGetValue(rank.Pod, out var refusal) && refusal.Times > 0)
            {
                _refusals[rank.Pod] = (refusal.Times - 1, refusal.Why);
                throw new IOException(refusal.Why);
            }

            for (var index = 0; ; index++)
            {
                string? line = null;
                while (line is null)
                {
                    await Task.Yield();
                    cancellation.ThrowIfCancellationRequested();
                    lock (_sync)
                    {
                        if (index < _lines[rank.Pod].Count)
                        {
                            line = _lines[rank.Pod][index];
                            _read[rank.Pod] = Math.Max(_read.GetValueOrDefault(rank.Pod), index + 1);
                        }
                        else if (!query.Follow || _ranks[rank.Pod].State == LogState.Ended)
                        {
                            yield break;
                        }
                        else if (_cuts.TryGetValue(rank.Pod, out var cut) && index == cut && _cuts.Remove(rank.Pod))
                        {
                            throw new IOException("cut");
                        }
                        else if (_closes.TryGetValue(rank.Pod, out var close) && index == close && _closes.Remove(rank.Pod))
                        {
                            yield break;
                        }
                    }
                }

                // Resuming is by whole seconds.
                if (query.SinceTime is null || string.CompareOrdinal(line[..19], query.SinceTime[..19]) >= 0)
                {
                    yield return LogLine.Parse(line);
                }
            }
        }

        public bool IsPassing(Exception error) => error is IOException;

        public bool IsGone(Exception error) => false;
    }
}
