using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Trestle.Api.V1Alpha1;
using Trestle.Operator.Telemetry;
using Trestle.Operator.Tests.Builders;
using Trestle.Runtime;

namespace Trestle.Operator.Tests.Telemetry;

public sealed class JobFeedTests : IDisposable
{
    private readonly JobWatch _api = new();
    private readonly OperatorMetrics _metrics = new(TimeProvider.System);

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task What_the_cache_is_filled_with_is_history_and_what_comes_after_counts()
    {
        _api.Put(Job("a", attempt: 3));
        await using var term = await LeadAsync();
        (await AttemptsAsync()).ShouldBe(0);

        await term.SeenAsync(_api.Tell(Job("a", attempt: 4)));
        (await AttemptsAsync()).ShouldBe(1);
        await term.SeenAsync(_api.Tell(Job("b", attempt: 1)));
        (await AttemptsAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task A_list_anew_counts_what_was_missed_and_nothing_again()
    {
        _api.Put(Job("a", attempt: 3));
        _api.Put(Job("b", attempt: 1));
        await using var term = await LeadAsync();
        await term.SeenAsync(_api.Tell(Job("a", attempt: 4)));

        _api.Put(Job("b", attempt: 2));
        var last = Job("c", attempt: 1);
        _api.Put(last);
        _api.Expire();

        await term.SeenAsync(last);
        (await AttemptsAsync()).ShouldBe(3);
    }

    [Fact]
    public async Task A_new_term_of_leading_counts_nothing_again()
    {
        _api.Put(Job("a", attempt: 1));
        await using (var first = await LeadAsync())
        {
            await first.SeenAsync(_api.Tell(Job("a", attempt: 2)));
        }

        await using var second = await LeadAsync();
        (await AttemptsAsync()).ShouldBe(1);
        await second.SeenAsync(_api.Tell(Job("a", attempt: 3)));
        (await AttemptsAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task A_job_made_anew_under_its_old_name_is_another_job()
    {
        _api.Put(Job("a", attempt: 3));
        await using var term = await LeadAsync();
        _api.Put(Job("a", attempt: 1, uid: "another"));
        _api.Expire();

        await term.SeenAsync(_api.Jobs[0]);
        (await AttemptsAsync()).ShouldBe(1);
        (await _metrics.ValueAsync("trestle_jobs_finished_total{phase=\"Deleted\"}")).ShouldBe(1);
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_stop_the_cache()
    {
        await using var term = await LeadAsync(_ => throw new InvalidOperationException("broken"));

        await term.SeenAsync(_api.Tell(Job("a", attempt: 1)));
        await term.SeenAsync(_api.Tell(Job("a", attempt: 2)));

        (await AttemptsAsync()).ShouldBe(2);
    }

    private static TrainingJob Job(string name, int attempt, string? uid = null) =>
        AJob.Named(name).Admitted(attempt, "n0").With(job => job.Metadata.Uid = uid ?? job.Metadata.Uid).Build();

    private Task<double?> AttemptsAsync() => AttemptsOf(_metrics);

    private static async Task<double?> AttemptsOf(OperatorMetrics metrics) => await metrics.ValueAsync("trestle_attempts_total{queue=\"default\"}") ?? 0;

    private async Task<Term> LeadAsync(Action<JobTransition>? alsoTold = null)
    {
        var term = new Term(_api);
        if (alsoTold is not null) JobFeed.Follow(term.Jobs, alsoTold, NullLogger.Instance);
        JobFeed.Follow(term.Jobs, _metrics.Jobs.Observe, NullLogger.Instance);
        await term.StartAsync();
        return term;
    }

    private sealed class Term(JobWatch api) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly SemaphoreSlim _changed = new(0);
        private readonly ConcurrentDictionary<string, bool> _seen = [];
        private Task _running = Task.CompletedTask;

        public Informer<TrainingJob> Jobs { get; } = new(api, Selection.All, TimeProvider.System, NullLogger.Instance);

        public Task StartAsync()
        {
            Jobs.Changed += (_, now) =>
            {
                if (now is not null) _seen[now.Metadata.ResourceVersion] = true;
                _changed.Release();
            };
            _running = Jobs.RunAsync(_stop.Token);
            return Jobs.Synced;
        }

        /// <summary>Returns when the listeners before were told of this state.</summary>
        public async Task SeenAsync(TrainingJob job)
        {
            while (!_seen.ContainsKey(job.Metadata.ResourceVersion)) await _changed.WaitAsync(TestContext.Current.CancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _changed.Dispose();
            _stop.Dispose();
        }
    }
}
