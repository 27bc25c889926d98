using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Nodes.Tests;

public sealed class ProcessTableTests
{
    [Theory]
    [InlineData("7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 0", 777L)]
    [InlineData("7 (sh) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 0", null)]
    [InlineData("7 (sh", null)]
    public void Start_times_are_read_past_any_command_name(string stat, long? start) => (ProcessTable.ParseStat(stat)?.StartTicks).ShouldBe(start);

    [Fact]
    public void This_process_is_alive_and_a_later_one_with_its_id_would_not_be_taken_for_it()
    {
        var me = ProcessTable.Find(Environment.ProcessId)!.Value;
        ProcessTable.IsAlive(me).ShouldBeTrue();
        ProcessTable.IsAlive(me with { StartTicks = me.StartTicks + 1 }).ShouldBeFalse();
    }
}
