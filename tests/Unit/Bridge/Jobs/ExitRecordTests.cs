using System.Text;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Jobs;

namespace Trestle.Bridge.Tests.Jobs;

public sealed class ExitRecordTests
{
    [Fact]
    public void The_record_of_a_rank_is_its_code_its_stage_and_its_last_words()
    {
        var exit = Read("1 3 Setup\n\nno such package\nbye\n").ShouldNotBeNull();
        (exit.Rank, exit.Code, exit.Stage, exit.Message).ShouldBe((1, 3, ExitStage.Setup, "no such package\nbye"));
    }

    [Theory]
    [InlineData("Hung")]
    [InlineData("OutOfMemory")]
    public void A_rank_that_hung_or_was_out_of_memory_is_told_from_one_that_failed(string why)
    {
        var record = ExitRecord.Read(Encoding.UTF8.GetBytes($"1 124 Run {why}\n\nrank 1 has been quiet\n"));
        (record.Why, record.Exit!.Rank, record.Exit.Message).ShouldBe((why, 1, "rank 1 has been quiet"));
        ExitRecord.Read("1 124 Run\n\nwords\n"u8.ToArray()).Why.ShouldBeNull();
    }

    [Theory]
    [InlineData("1795730429.5 step-400", "step-400")]
    [InlineData("1795730429 a name\u001b[31m", "a name [31m")]
    [InlineData("", null)]
    [InlineData("yesterday step-400", null)]
    [InlineData("-5 step-400", null)]
    [InlineData("1e300 step-400", null)]
    [InlineData("99999999999999999999999 step-400", null)]
    [InlineData("1795730429 ", null)]
    public void The_newest_checkpoint_has_its_name_and_its_time(string line, string? name)
    {
        var checkpoint = ExitRecord.Read(Encoding.UTF8.GetBytes($"\n{line}\nwords\n")).Checkpoint;
        checkpoint?.Latest.ShouldBe(name);
        if (name is null) checkpoint.ShouldBeNull();
        else checkpoint!.DurableAt.ShouldBe(DateTimeOffset.FromUnixTimeSeconds(1795730429).UtcDateTime);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\n\nwords of nobody\n")]
    [InlineData("1 0 Run\n\n")]
    [InlineData("1 256 Run\n\n")]
    [InlineData("-1 3 Run\n\n")]
    [InlineData("1 3 7\n\n")]
    [InlineData("1 3 Run more\n\n")]
    public void What_is_no_record_is_none(string output) => Read(output).ShouldBeNull();

    [Fact]
    public void Escape_sequences_of_a_user_stay_on_his_cluster() => Read("0 1 Run\n\n\u001b[31mred\u0007\n").ShouldNotBeNull().Message.ShouldBe("[31mred");

    private static TrainingJobExit? Read(string output) => ExitRecord.Read(Encoding.UTF8.GetBytes(output)).Exit;
}
