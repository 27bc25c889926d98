using System.Text;
using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Cli.Logs;

namespace Trestle.Cli.Tests.Logs;

public sealed class SlurmLogsTests
{
    private readonly Dictionary<string, string> _files = [];
    private readonly List<string> _asked = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_reading_begins_where_the_first_one_ended_whatever_the_query_says()
    {
        var logs = new SlurmLogs(OpenAsync);
        _files["0"] = "one\ntwo\nthr";
        (await ReadAsync(logs, new LogQuery(Follow: true, Tail: 2))).ShouldBe(["one", "two"]);
        _files["0"] = "one\ntwo\nthree\r\nlast";
        (await ReadAsync(logs, new LogQuery(Follow: true, Tail: 2))).ShouldBe(["three"]);
        (await ReadAsync(logs, new LogQuery(Follow: false))).ShouldBe(["last"]);
        (await ReadAsync(logs, new LogQuery(Follow: false))).ShouldBeEmpty();
        _asked.ShouldBe(["train-a1/0?tail=2&follow=true", "train-a1/0?offset=8&follow=true", "train-a1/0?offset=15", "train-a1/0?offset=19"]);
    }

    [Fact]
    public async Task A_line_that_begins_with_a_time_is_printed_whole()
    {
        _files["0"] = "2026-11-24T02:00:00Z step 1\n";
        (await ReadAsync(new SlurmLogs(OpenAsync), new LogQuery(Follow: false))).ShouldBe(["2026-11-24T02:00:00Z step 1"]);
    }

    [Fact]
    public async Task Without_ranks_there_are_the_words_of_the_batch_script_once_the_job_has_ended()
    {
        _files["job"] = "node gpu1 has no address\n";
        var logs = new SlurmLogs(OpenAsync);
        (await ReadAsync(logs, new LogQuery(Follow: false), SlurmJobPhase.Running)).ShouldBeEmpty();
        (await ReadAsync(logs, new LogQuery(Follow: false), SlurmJobPhase.Failed)).ShouldBe(["node gpu1 has no address"]);
        (await ReadAsync(logs, new LogQuery(Follow: false), SlurmJobPhase.Failed, rank: 1)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(null, LogState.Waiting)]
    [InlineData(SlurmJobPhase.Queued, LogState.Waiting)]
    [InlineData(SlurmJobPhase.Running, LogState.Running)]
    [InlineData(SlurmJobPhase.Suspended, LogState.Running)]
    [InlineData(SlurmJobPhase.Unknown, LogState.Waiting)]
    [InlineData(SlurmJobPhase.Cancelled, LogState.Ended)]
    internal void Every_node_is_a_rank_and_what_slurm_says_is_its_state(SlurmJobPhase? phase, LogState state)
    {
        var ranks = SlurmLogs.Ranks(Job(phase), "trainer").ToList();
        ranks.Select(rank => (rank.Rank, rank.Attempt, rank.Job, rank.Task, rank.State, rank.IsOnSlurm)).ShouldBe([(0, 1, "train", "trainer", state, true), (1, 1, "train", "trainer", state, true)]);
        ranks.Select(rank => rank.Uid).ShouldBeUnique();
    }

    private static SlurmJob Job(SlurmJobPhase? phase) => new()
    {
        Metadata = new V1ObjectMeta { Name = "train-a1", Uid = "u" },
        Spec = new SlurmJobSpec { Job = "train", Attempt = 1, Nodes = 2 },
        Status = phase is null ? null : new SlurmJobStatus { Phase = phase },
    };

    private static async Task<List<string>> ReadAsync(SlurmLogs logs, LogQuery query, SlurmJobPhase phase = SlurmJobPhase.Running, int rank = 0)
    {
        var lines = new List<string>();
        await foreach (var line in logs.ReadAsync(SlurmLogs.Ranks(Job(phase), null).ElementAt(rank), query, Ct)) lines.Add(line.Text);
        return lines;
    }

    // As the bridge answers; a tail is what the file holds.
    private Task<SlurmLogPart?> OpenAsync(string job, string place, string query, CancellationToken cancellation)
    {
        _asked.Add($"{job}/{place}?{query}");
        if (!_files.TryGetValue(place, out var text)) return Task.FromResult<SlurmLogPart?>(null);
        var offset = query.StartsWith("offset=", StringComparison.Ordinal) ? int.Parse(query["offset=".Length..].Split('&')[0]) : 0;
        return Task.FromResult<SlurmLogPart?>(new SlurmLogPart(offset, new MemoryStream(Encoding.UTF8.GetBytes(text[Math.Min(offset, text.Length)..]))));
    }
}
