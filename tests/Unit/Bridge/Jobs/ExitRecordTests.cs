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

    private static TrainingJobExit? Read(string output) => ExitRecord.Read(Encoding.UTF8.GetBytes(output));
}
