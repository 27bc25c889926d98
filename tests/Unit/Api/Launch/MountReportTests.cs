using Trestle.Api.Launch;

namespace Trestle.Api.Tests.Launch;

public sealed class MountReportTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_report_arrives_as_it_was_sent()
    {
        var sent = new MountReport { PendingFiles = 2, PendingBytes = 5, PendingCheckpoints = 1, BytesPerSecond = 9, IsLast = true, Trouble = "no", Checkpoints = [new DurableCheckpoint("step-1", 5, Noon)] };
        var read = MountReport.FromJson(sent.ToJson()).ShouldNotBeNull();
        read.Checkpoints.ShouldBe(sent.Checkpoints);
        (read with { Checkpoints = sent.Checkpoints }).ShouldBe(sent);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"pendingBytes\":-1}")]
    [InlineData("{\"checkpoints\":null}")]
    [InlineData("{\"checkpoints\":[null]}")]
    [InlineData("{\"checkpoints\":[{\"name\":\"\",\"bytes\":1,\"durableAt\":\"2026-01-01T00:00:00Z\"}]}")]
    public void What_is_no_report_is_none(string json) => MountReport.FromJson(System.Text.Encoding.UTF8.GetBytes(json)).ShouldBeNull();

    [Fact]
    public void What_a_look_found_fits_into_a_termination_message()
    {
        var names = Enumerable.Range(0, 20).Select(step => new DurableCheckpoint($"{new string('n', 400)}-{step}", step, Noon)).ToList();
        var read = StorageReport.FromText(new StorageReport { Bytes = 7, Checkpoints = names }.ToText()).ShouldNotBeNull();
        read.Checkpoints.Count.ShouldBeInRange(5, 10);
        read.Checkpoints.ShouldBe(names.Take(read.Checkpoints.Count));
        new StorageReport { Checkpoints = names }.ToText().Length.ShouldBeLessThanOrEqualTo(4096);
    }
}
