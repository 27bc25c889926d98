using System.Text;
using CsCheck;
using Trestle.Api.V1Alpha1;
using Trestle.Bridge.Slurm;

namespace Trestle.Bridge.Tests.Slurm;

public sealed class SqueueQueryTests
{
    [Fact]
    public void A_name_with_delimiters_and_line_breaks_makes_no_job_up()
    {
        var hostile = "a|b\n12|COMPLETED|x\n" + new Separator("~other").Text;
        var jobs = Read(Samples.Row("7", "RUNNING", "0", "0", "1", "2", "3", "cpu1", "None", hostile));
        jobs.ShouldBeEmpty();
        jobs = Read(Samples.Row("8", "RUNNING", "0", "0", "1", "2", "3", "cpu1", "a|b", "x|y") + Samples.Row("7", "RUNNING", "0", "0", "1", "2", "3", "cpu1", "None", hostile));
        jobs.Keys.ShouldBe(["8"]);
        (jobs["8"].Reason, jobs["8"].Name).ShouldBe(("a|b", "x|y"));
    }

    [Fact]
    public void Any_name_without_the_separator_leaves_the_state_as_it_is() =>
        Gen.String.Where(name => !name.Contains('~') && !name.Contains('\n')).Sample(name =>
        {
            var jobs = Read(Samples.Row("7", "FAILED", "2", "3:0", "1", "2", "3", "cpu1", name, name));
            return jobs["7"].State.Name == "FAILED" && jobs["7"].Restarts == 2 && jobs["7"].Exit == new ExitStatus(3, 0);
        });

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("12;id")]
    [InlineData("19_[3-20%2]")]
    [InlineData("1234567890123")]
    public void What_is_no_job_id_is_no_job(string id) => Read(Samples.Row(id, "RUNNING", "0", "0", "1", "2", "3", "cpu1", "None", "x")).ShouldBeEmpty();

    [Fact]
    public void Half_a_line_is_no_job() => Read("7" + Samples.Separator.Text + "RUNNING" + Samples.Separator.Text).ShouldBeEmpty();

    [Fact]
    public void Separators_differ_and_are_no_width() =>
        Enumerable.Range(0, 100).Select(_ => Separator.New().Text).ToList().ShouldSatisfyAllConditions(
            all => all.Distinct().Count().ShouldBe(100),
            all => all.ShouldAllBe(text => text.StartsWith('~') && !text.Contains(',')));

    [Theory]
    [InlineData("3:0", 3, 0)]
    [InlineData("0:9", 0, 9)]
    [InlineData("768", 3, 0)]
    [InlineData("9", 0, 9)]
    [InlineData("4021", 0, 53)]
    [InlineData("253", 0, 125)]
    [InlineData("35584", 139, 0)]
    [InlineData("0", 0, 0)]
    public void Exit_codes_are_read_from_both_ways_of_writing_them(string text, int code, int signal) => ExitStatus.Read(text).ShouldBe(new ExitStatus(code, signal));

    [Theory]
    [InlineData("")]
    [InlineData("SUCCESS")]
    [InlineData("1:2:3")]
    [InlineData("-1:0")]
    [InlineData("999:0")]
    [InlineData("99999999999")]
    public void What_is_no_exit_code_is_none(string text) => ExitStatus.Read(text).ShouldBeNull();

    [Theory]
    [InlineData("GLORIOUS")]
    [InlineData("")]
    [InlineData("running")]
    [InlineData("CANCELLED+")]
    public void A_state_that_is_not_in_the_table_is_unknown_and_no_end(string text) =>
        SlurmStates.Of(text).ShouldSatisfyAllConditions(state => state.Phase.ShouldBe(SlurmJobPhase.Unknown), state => state.IsFinal.ShouldBeFalse());

    [Fact]
    public void Only_four_kinds_of_states_are_ends() =>
        SlurmStates.Names.Where(name => SlurmStates.Of(name).IsFinal).ShouldBe(
            ["COMPLETED", "FAILED", "OUT_OF_MEMORY", "DEADLINE", "TIMEOUT", "NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED", "RECONFIG_FAIL", "PREEMPTED", "CANCELLED"], ignoreOrder: true);

    private static Dictionary<string, JobRecord> Read(string text) => SqueueQuery.Read(Encoding.UTF8.GetBytes(text), Samples.Separator);
}
