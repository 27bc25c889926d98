using System.Text;
using CsCheck;
using Trestle.Local.Nodes.Logs;

namespace Trestle.Local.Nodes.Tests;

public sealed class LogPumpTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("trestle-log-").FullName;

    private string Out => Path.Combine(_root, "out");

    private string Err => Path.Combine(_root, "err");

    private string Log => Path.Combine(_root, "main", "0.log");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Lines_of_both_streams_get_a_time_and_a_name()
    {
        File.WriteAllText(Out, "hello\nworld");
        File.WriteAllText(Err, "oh\n");
        using var pump = New();
        pump.Pump();
        Lines().Select(l => l[(l.IndexOf(' ') + 1)..]).ShouldBe(["stdout F hello", "stderr F oh"]);
        pump.Pump(final: true);
        Lines()[^1].ShouldEndWith(" stdout F world");
        DateTimeOffset.TryParse(Lines()[0].Split(' ')[0], out _).ShouldBeTrue();
    }

    [Fact]
    public void A_long_line_is_cut_into_marked_parts()
    {
        File.WriteAllText(Out, new string('x', (LogPump.MaxLine * 2) + 5) + "\n");
        File.WriteAllText(Err, "");
        using var pump = New();
        pump.Pump();
        Lines().Select(l => l.Split(' ')[2]).ShouldBe(["P", "P", "F"]);
    }

    [Fact]
    public void A_pump_that_starts_again_neither_loses_nor_repeats_anything()
    {
        // Any text written in any pieces, with the pump (and its half-written last line) lost at any point.
        var piece = Gen.Select(Gen.OneOf("a", "bc\n", "\n", "δé\n", new string('y', 20000), "z z\n"), Gen.Bool, Gen.Bool);
        piece.Array[1, 30].Sample(pieces =>
        {
            foreach (var file in Directory.GetFiles(_root, "*", SearchOption.AllDirectories)) File.Delete(file);
            var said = new StringBuilder();
            File.WriteAllText(Err, "");
            var pump = New();
            foreach (var (text, crash, tear) in pieces)
            {
                File.AppendAllText(Out, text);
                said.Append(text);
                pump.Pump();
                if (!crash) continue;
                pump.Dispose();
                if (tear && File.Exists(Log)) File.AppendAllText(Log, "2026-01-01T00:00:00Z stdout F torn");
                pump = New();
            }

            pump.Pump(final: true);
            pump.Dispose();
            Text().ShouldBe(said.ToString().TrimEnd('\n'));
        }, iter: 200, threads: 1);
    }

    [Fact]
    public void A_log_over_its_cap_is_begun_anew_and_still_resumes_where_it_was()
    {
        File.WriteAllText(Err, "");
        File.WriteAllText(Out, string.Concat(Enumerable.Range(0, 100).Select(i => $"line {i}\n")));
        using (var pump = new LogPump(Out, Err, Log, TimeProvider.System, maxBytes: 1000)) pump.Pump();
        File.Exists(Log + ".1").ShouldBeTrue();
        File.AppendAllText(Out, "after\n");
        using var again = new LogPump(Out, Err, Log, TimeProvider.System, maxBytes: 1000);
        again.Pump();
        Lines().ShouldHaveSingleItem().ShouldEndWith("stdout F after");
    }

    [Fact]
    public void The_tail_is_the_last_lines_within_the_limits()
    {
        File.WriteAllText(Err, string.Concat(Enumerable.Range(0, 500).Select(i => $"line {i}\n")));
        File.WriteAllText(Out, "");
        using (var pump = New()) pump.Pump(final: true);
        var tail = CriLog.Tail(Log);
        tail.Split('\n').Length.ShouldBe(80);
        tail.ShouldEndWith("line 499");
        Encoding.UTF8.GetByteCount(tail).ShouldBeLessThanOrEqualTo(2048);
    }

    private LogPump New() => new(Out, Err, Log, TimeProvider.System);

    private string[] Lines() => File.ReadAllLines(Log);

    private string Text()
    {
        var text = new StringBuilder();
        foreach (var line in File.Exists(Log) ? Lines() : [])
        {
            var parts = line.Split(' ', 4);
            text.Append(parts[3]);
            if (parts[2] == "F") text.Append('\n');
        }

        return text.ToString().TrimEnd('\n');
    }
}
