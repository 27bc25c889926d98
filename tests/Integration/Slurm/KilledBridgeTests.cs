using System.Globalization;
using System.Text.Json.Nodes;
using Trestle.Testing;
using SlurmCluster = Trestle.Testing.Slurm.SlurmCluster;
using SlurmFixture = Trestle.Testing.Slurm.SlurmFixture;

namespace Trestle.Integration.Tests.Slurm;

/// <summary>
/// The bridge as a process that is ended by SIGKILL at named points of jobs' lives, with a real Slurm: at those of <see cref="Few"/>, or
/// at as many of <see cref="All"/> as TRESTLE_KILLS says: 32 kills are 224 submissions.
/// </summary>
[Collection(SlurmCollection.Name)]
public sealed class KilledBridgeTests(SlurmFixture fixture)
{
    private const string Jobs = "apis/trestle.dev/v1alpha1/namespaces/default/slurmjobs";
    private const string Lease = "apis/coordination.k8s.io/v1/namespaces/trestle-system/leases/trestle-bridge-alps";
    private const int EachLife = 7;
    private static readonly string[] Few = ["finalizer.added", "submit.underway", "submit.answered:2", "status.writing:3", "look.heard:2", "cancel.underway"];

    // In any order: jobs of the later points come from earlier lives.
    private static readonly string[] All =
    [
        "finalizer.adding:3", "finalizer.added:3", "secrets.reading:2", "submit.queueing:4", "submit.queued:4", "submit.taken", "submit.sending", "submit.underway", "submit.answered",
        "submit.telling:2", "submit.noted:2", "status.planned:4", "status.writing:4", "status.written:4", "status.noted:4",
        "look.beginning:2", "look.queue:2", "look.heard:2", "look.done:2", "exit.reading", "exit.read",
        "term.sending", "term.underway", "term.answered", "cancel.sending", "cancel.underway", "cancel.answered",
        "clean.sending", "clean.underway", "clean.answered", "finalizer.removing", "finalizer.removed",
    ];

    private static readonly IEnumerable<string> Points = Environment.GetEnvironmentVariable("TRESTLE_KILLS") is { } kills ? All.Take(int.Parse(kills, CultureInfo.InvariantCulture)) : Few;

    private readonly Dictionary<string, Kind> _jobs = [];
    private readonly HashSet<string> _asked = [];

    private enum Kind
    {
        Good,
        Bad,
        Cancelled,
        Deleted,
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_bridge_that_is_killed_at_named_points_submits_none_twice_loses_none_and_ends_none()
    {
        var slurm = await fixture.HealthyAsync();
        await using var world = await SlurmWorld.OpenAsync(slurm, withOperator: false);
        foreach (var point in Points) await LiveAsync(world, point);
        await world.NextBridgeAsync();
        await Condition.UntilAsync("all jobs have ended", async () => await AskAsync(world) == 0, TimeSpan.FromMinutes(3), world.ExplainAsync);
        await CheckAsync(world);
    }

    // One life of the bridge, with new jobs and those of its predecessors, until it comes to the point.
    private async Task LiveAsync(SlurmWorld world, string point)
    {
        for (var number = 0; number < EachLife; number++) await SubmitAsync(world, number switch { 0 => Kind.Bad, 1 => Kind.Cancelled, 2 => Kind.Deleted, _ => Kind.Good });
        await world.NextBridgeAsync(new Dictionary<string, string?> { ["TRESTLE_FAIL_AT"] = point });
        await Condition.UntilAsync($"the bridge is killed at {point}", async () =>
        {
            await AskAsync(world);
            return world.Bridge.HasExited;
        }, TimeSpan.FromMinutes(1), world.ExplainAsync);

        // As if its lease had run out: a dead one can do no harm.
        await world.Api.DeleteAsync(Lease, Ct);
    }

    private async Task SubmitAsync(SlurmWorld world, Kind kind)
    {
        var uid = Guid.NewGuid().ToString();
        var key = $"{uid[..8]}-a1";
        _jobs.Add(key, kind);
        var what = kind switch { Kind.Good => "exit 0", Kind.Bad => "exit 3", _ => "exec sleep 600" };
        await world.Api.CreateAsync(Jobs, new JsonObject
        {
            ["apiVersion"] = "trestle.dev/v1alpha1",
            ["kind"] = "SlurmJob",
            ["metadata"] = new JsonObject { ["name"] = key },
            ["spec"] = new JsonObject
            {
                ["cluster"] = "alps",
                ["job"] = key,
                ["jobUid"] = uid,
                ["attempt"] = 1,
                ["nodes"] = 1,
                ["graceSeconds"] = 1,
                ["options"] = new JsonArray("--nodes=1", "--mem=200", "--time=20"),
                ["script"] = $"#!/bin/sh\necho $SLURM_JOB_ID >>\"$HOME/ran-{key}\"\n{what}\n",
            },
        }, Ct);
    }

    /// <summary>Ends the long jobs that run; says how many jobs have not ended.</summary>
    private async Task<int> AskAsync(SlurmWorld world)
    {
        var open = 0;
        foreach (var job in (await world.Api.ReadAsync(Jobs, Ct))!["items"]!.AsArray())
        {
            var key = (string)job!["metadata"]!["name"]!;
            var phase = (string?)job["status"]?["phase"];
            if (_jobs[key] == Kind.Deleted || phase is not ("Succeeded" or "Failed" or "Cancelled")) open++;
            if (phase != "Running" || _jobs[key] is Kind.Good or Kind.Bad || !_asked.Add(key)) continue;
            if (_jobs[key] == Kind.Cancelled) await world.Api.MergeAsync($"{Jobs}/{key}", """{"spec":{"cancel":true}}""", Ct);
            else await world.Api.DeleteAsync($"{Jobs}/{key}", Ct);
        }

        return open;
    }

    private async Task CheckAsync(SlurmWorld world)
    {
        var known = (await world.Api.ReadAsync(Jobs, Ct))!["items"]!.AsArray().ToDictionary(job => (string)job!["metadata"]!["name"]!, job => job!["status"]!);
        known.Keys.ShouldBe(_jobs.Where(job => job.Value != Kind.Deleted).Select(job => job.Key), ignoreOrder: true, "none is lost, and those that were deleted are gone");
        var records = await RecordsAsync(world.Slurm);
        foreach (var (key, kind) in _jobs)
        {
            var (id, state, exit) = records[key].ShouldHaveSingleItem($"{key} is once in Slurm");
            (await File.ReadAllTextAsync(Path.Combine(world.Slurm.A.Home, $"ran-{key}"), Ct)).ShouldBe($"{id}\n", "it ran once");
            (state.Split(' ')[0], exit).ShouldBe(kind switch { Kind.Good => ("COMPLETED", "0:0"), Kind.Bad => ("FAILED", "3:0"), _ => ("CANCELLED", exit) }, key);
            if (kind == Kind.Deleted) continue;
            ((string?)known[key]["jobId"], (string?)known[key]["phase"]).ShouldBe((id, kind switch { Kind.Good => "Succeeded", Kind.Bad => "Failed", _ => "Cancelled" }), key);
        }

        (await world.Slurm.RunAsRootAsync($"ls {world.Slurm.A.Home}/.trestle")).Out.Split('\n').Where(name => _jobs.GetValueOrDefault(name) == Kind.Deleted && name.Length > 0).ShouldBeEmpty("the directories of deleted jobs are gone");
    }

    // Accounting lags by some seconds.
    private async Task<ILookup<string, (string Id, string State, string Exit)>> RecordsAsync(SlurmCluster slurm)
    {
        IReadOnlyList<string[]> rows = [];
        await Condition.UntilAsync("accounting has heard of all ends", async () =>
        {
            var text = (await slurm.RunAsRootAsync("sacct -X -n -P -D -a -S now-1hours -o JobName,JobIDRaw,State,ExitCode")).Out;
            rows = [.. text.Split('\n').Select(line => line.Split('|')).Where(cells => cells.Length == 4 && _jobs.ContainsKey(cells[0]))];
            return rows.Count >= _jobs.Count && !rows.Any(cells => cells[2] is "PENDING" or "RUNNING");
        }, TimeSpan.FromMinutes(1), () => Task.FromResult(string.Create(CultureInfo.InvariantCulture, $"{rows.Count} of {_jobs.Count}: {string.Join('\n', rows.Select(cells => string.Join(' ', cells)))}")));
        return rows.ToLookup(cells => cells[0], cells => (cells[1], cells[2], cells[3]));
    }
}
