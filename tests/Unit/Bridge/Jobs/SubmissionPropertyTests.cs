using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Trestle.Bridge.Jobs;
using Trestle.Bridge.Tests.Fakes;

namespace Trestle.Bridge.Tests.Jobs;

/// <summary>
/// The submission path against a model of Slurm that lies, lags and loses: the bridge is killed at random, with its scripts still
/// running; contact is lost before, in the middle and after; sbatch fails after it was heard; accounting comes late.
/// </summary>
public sealed class SubmissionPropertyTests
{
    private const int Jobs = 200;

    [Fact]
    public Task No_job_is_submitted_twice_and_none_is_lost_whatever_fails() => Gen.Int[1, int.MaxValue].SampleAsync(RunAsync, iter: 1, threads: 1);

    private static async Task RunAsync(int seed)
    {
        using var slurm = new FakeSlurm();
        var random = new Random(seed);
        var quiet = false;
        for (var id = 1; id <= Jobs * 3; id++) slurm.SetMode(id, Mode(random.NextDouble()));
        slurm.NextShare = random.NextDouble;
        slurm.NextFault = () => quiet ? Fault.None : Chance(random.NextDouble());
        var now = TimeSpan.Zero;
        using var world = new Bridges(slurm, Jobs);
        for (var round = 0; world.Open > 0; round++)
        {
            // A world that stays broken for ever is no reason to submit twice, but nothing would end.
            quiet = round > 40;
            round.ShouldBeLessThan(200, $"seed {seed}: {world.Open} jobs never get an answer");
            await world.RoundAsync(now, !quiet && random.NextDouble() < 0.3 ? TimeSpan.FromMilliseconds(random.Next(400)) : null);
            if (round % 4 == 3) slurm.CatchUp();
            now += TimeSpan.FromSeconds(15);
        }

        await world.EndAsync();
        var taken = slurm.Jobs;
        taken.GroupBy(job => job.Name).Where(same => same.Count() > 1).Select(same => same.Key).ShouldBeEmpty($"seed {seed}: submitted twice");
        taken.Select(job => job.Name).ShouldBe(world.Keys, ignoreOrder: true, $"seed {seed}: lost");
        foreach (var (id, name) in taken) world.IdOf(name).ShouldBe(id, $"seed {seed}: {name} is followed under a wrong id");
    }

    private static string Mode(double chance) => chance switch
    {
        < 0.05 => "down",
        < 0.10 => "lost",
        < 0.15 => "late",
        _ => "ok",
    };

    private static Fault Chance(double chance) => chance switch
    {
        < 0.05 => Fault.LostBefore,
        < 0.12 => Fault.LostAfter,
        < 0.20 => Fault.Cut,
        < 0.28 => Fault.Killed,
        _ => Fault.None,
    };

    /// <summary>One bridge after the other; a killed one leaves its scripts running and remembers nothing.</summary>
    private sealed class Bridges(FakeSlurm slurm, int count) : IDisposable
    {
        private readonly Dictionary<string, string> _ids = [];
        private readonly HashSet<string> _sent = [];
        private readonly List<Task> _lanes = [];
        private Dictionary<string, SubmissionState> _states = [];
        private CancellationTokenSource _life = new();
        private SubmissionLane? _lane;

        public IReadOnlyList<string> Keys { get; } = [.. Enumerable.Range(1, count).Select(number => $"job{number:00000}-a1")];

        public int Open => Keys.Count - _ids.Count;

        public string? IdOf(string key) => _ids.GetValueOrDefault(key);

        /// <summary>Asks about all jobs whose time has come; the bridge may be killed in the middle of it.</summary>
        public async Task RoundAsync(TimeSpan now, TimeSpan? killAfter)
        {
            _lane ??= Begin();
            var answers = new List<Task>();
            foreach (var key in Keys.Where(key => !_ids.ContainsKey(key)))
            {
                // What the finalizer says: only who has set it himself knows that nothing was sent.
                var state = _states.GetValueOrDefault(key) ?? new SubmissionState(1) { IsFirst = !_sent.Contains(key) };
                if (state.NotBefore > now) continue;
                _sent.Add(key);
                answers.Add(AskAsync(key, state, now));
            }

            var all = Task.WhenAll(answers);
            if (killAfter is not { } life) await all;
            else if (await Task.WhenAny(all, Task.Delay(life)) != all) await KillAsync();
        }

        // Scripts that were sent run on to their end, as on a real login node.
        private async Task KillAsync()
        {
            await _life.CancelAsync();
            lock (_ids) (_lane, _states, _life) = (null, [], new CancellationTokenSource());
        }

        public void Dispose() => _life.Dispose();

        public async Task EndAsync()
        {
            await _life.CancelAsync();
            await Task.WhenAll(_lanes).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private SubmissionLane Begin()
        {
            var lane = new SubmissionLane(slurm, slurm.Root, new FailPoints(), NullLogger.Instance);
            _lanes.Add(lane.RunAsync(_life.Token));
            return lane;
        }

        private async Task AskAsync(string key, SubmissionState state, TimeSpan now)
        {
            var heard = new TaskCompletionSource<SubmissionAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
            var request = new SubmissionRequest(key, key + "-uid", SubmissionWish.Submit) { Try = state.Try, IsFirst = state.IsFirst, Script = "#!/bin/sh\necho hi\n", Secrets = "a/b YQ==\n", Options = ["--comment=it's"] };
            var bridge = _lane!;
            bridge.Send(request, answer => heard.TrySetResult(answer));
            var answer = await heard.Task;
            lock (_ids)
            {
                if (bridge != _lane) return; // a dead one hears nothing
                if (answer is Submitted { JobId: var id }) _ids[key] = id;
                else _states[key] = SubmissionRules.After(state, answer, now);
            }
        }
    }
}
