using CsCheck;
using Trestle.Cli.Logs;

namespace Trestle.Cli.Tests.Logs;

public sealed class LogMergeTests
{
    [Fact]
    public async Task Lines_of_several_ranks_come_in_order_of_time()
    {
        var merged = await MergeAsync(
            ["2026-11-24T02:00:01Z a1", "2026-11-24T02:00:03Z a3"],
            ["2026-11-24T02:00:02Z b2", "2026-11-24T02:00:02.5Z b2.5"]);
        merged.ShouldBe(["a1", "b2", "b2.5", "a3"]);
    }

    [Fact]
    public async Task A_clock_that_jumps_back_doesnt_reorder_one_ranks_lines()
    {
        var merged = await MergeAsync(["2026-11-24T02:00:05Z first", "2026-11-24T02:00:01Z second"], ["2026-11-24T02:00:03Z other"]);
        merged.ShouldBe(["other", "first", "second"]);
    }

    [Fact]
    public Task No_line_is_lost_and_each_log_keeps_its_order() =>
        Gen.Int[0, 59].List[0, 12].List[0, 5].SampleAsync(async seconds =>
        {
            var logs = seconds.Select((log, source) => log.Select((second, index) => $"2026-11-24T02:00:{second:00}Z {source}/{index}").ToArray()).ToArray();
            var merged = await MergeAsync(logs);
            merged.Count.ShouldBe(seconds.Sum(log => log.Count));
            for (var source = 0; source < logs.Length; source++)
            {
                merged.Where(text => text.StartsWith($"{source}/")).ShouldBe(logs[source].Select(line => LogLine.Parse(line).Text));
            }
        });

    private static async Task<List<string>> MergeAsync(params string[][] logs)
    {
        var texts = new List<string>();
        await foreach (var (_, line) in LogMerge.InOrderAsync([.. logs.Select(log => log.Select(LogLine.Parse).ToAsyncEnumerable())]))
        {
            texts.Add(line.Text);
        }

        return texts;
    }
}
