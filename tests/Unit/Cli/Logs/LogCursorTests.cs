using CsCheck;
using Trestle.Cli.Logs;

namespace Trestle.Cli.Tests.Logs;

public sealed class LogCursorTests
{
    // Nanoseconds between lines: many lines share a stamp, some are seconds apart.
    private static readonly long[] Steps = [0, 0, 1, 400_000_000, 1_000_000_000, 2_500_000_000];

    [Fact]
    public void A_stamp_without_a_fraction_comes_before_the_same_second_with_one()
    {
        var whole = LogLine.Parse("2026-11-24T02:00:01Z a");
        var half = LogLine.Parse("2026-11-24T02:00:01.5Z b");
        string.CompareOrdinal(whole.Order, half.Order).ShouldBeLessThan(0);
    }

    [Fact]
    public void A_line_without_a_stamp_is_kept_whole() =>
        LogLine.Parse("failed to open log").ShouldBe(new LogLine("", "failed to open log"));

    [Fact]
    public void An_empty_line_keeps_its_stamp() =>
        LogLine.Parse("2026-11-24T02:00:01.123456789Z ").ShouldBe(new LogLine("2026-11-24T02:00:01.123456789Z", ""));

    [Fact]
    public void However_often_the_stream_is_cut_every_line_is_given_out_once_and_in_order()
    {
        var steps = Gen.Int[0, 5].Select(choice => Steps[choice]).List[0, 60];
        Gen.Select(steps, Gen.Int[0, 20].List[0, 12]).Sample((gaps, cuts) =>
        {
            var log = Write(gaps);
            var cursor = new LogCursor();
            var given = new List<string>();
            foreach (var cut in cuts.Append(int.MaxValue))
            {
                cursor.Resume();
                var answer = log.Where(line => cursor.SinceTime is null || Second(line) >= Second(cursor.SinceTime));
                foreach (var line in answer.Take(cut).Select(LogLine.Parse).Where(cursor.Accept))
                {
                    given.Add(line.Text);
                }
            }

            given.ShouldBe(log.Select(line => LogLine.Parse(line).Text));
        });
    }

    private static List<string> Write(IReadOnlyList<long> gaps)
    {
        var at = 0L;
        return [.. gaps.Select((gap, index) => $"{Stamp(at += gap)} line {index}")];
    }

    private static string Stamp(long nanoseconds)
    {
        var fraction = (nanoseconds % 1_000_000_000).ToString("000000000").TrimEnd('0');
        var second = DateTimeOffset.FromUnixTimeSeconds(1_790_000_000 + (nanoseconds / 1_000_000_000)).ToString("yyyy-MM-ddTHH:mm:ss");
        return fraction.Length == 0 ? second + "Z" : $"{second}.{fraction}Z";
    }

    private static long Second(string text) => DateTimeOffset.Parse(text[..19] + "Z").ToUnixTimeSeconds();
}
