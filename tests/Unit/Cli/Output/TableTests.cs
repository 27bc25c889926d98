using Trestle.Cli.Output;

namespace Trestle.Cli.Tests.Output;

public sealed class TableTests
{
    private static readonly TextTable Jobs = new(
        [new TableColumn("NAME"), new TableColumn("NODE", Wide: true), new TableColumn("REASON")],
        [["train", "node-0", ""], ["a-long-name", "", "waiting for 8 H100"]]);

    [Fact]
    public void A_pipe_gets_padded_columns_and_a_dash_for_an_empty_cell() =>
        PlainTable.Render(Jobs.For(OutputFormat.Table)).ShouldBe(
            """
            NAME          REASON
            train         -
            a-long-name   waiting for 8 H100

            """);

    [Fact]
    public void Wide_shows_the_wide_columns() =>
        PlainTable.Render(Jobs.For(OutputFormat.Wide)).ShouldBe(
            """
            NAME          NODE     REASON
            train         node-0   -
            a-long-name   -        waiting for 8 H100

            """);

    [Fact]
    public void Escape_sequences_and_line_breaks_from_the_cluster_never_reach_the_terminal() =>
        Printable.Line("red\u001b[31m\nnext").ShouldBe("red?[31m next");

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(119, "119s")]
    [InlineData(120, "2m")]
    [InlineData(185, "3m5s")]
    [InlineData(601, "10m")]
    [InlineData(10_799, "179m")]
    [InlineData(11_100, "3h5m")]
    [InlineData(30_000, "8h")]
    [InlineData(180_000, "2d2h")]
    [InlineData(864_000, "10d")]
    [InlineData(-5, "0s")]
    public void Ages_are_written_as_kubectl_writes_them(int seconds, string text) =>
        Ages.Short(TimeSpan.FromSeconds(seconds)).ShouldBe(text);

    [Fact]
    public void Gpu_hours_have_one_decimal_and_a_job_without_gpus_has_none()
    {
        Ages.GpuHours(32, TimeSpan.FromMinutes(90)).ShouldBe("48.0");
        Ages.GpuHours(0, TimeSpan.FromMinutes(90)).ShouldBe("-");
    }
}
