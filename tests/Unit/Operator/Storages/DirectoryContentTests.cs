using Trestle.Operator.Storages;

namespace Trestle.Operator.Tests.Storages;

public sealed class DirectoryContentTests : IDisposable
{
    private static readonly DateTime Day = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
    private readonly string _root = Directory.CreateTempSubdirectory("trestle-test-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_missing_directory_is_made()
    {
        var path = Path.Combine(_root, "new", "one");
        var content = DirectoryContent.Read(path, 100);
        (content.Error, content.Bytes, content.Objects, content.Checkpoints.Count).ShouldBe((null, 0, 0, 0));
        Directory.Exists(path).ShouldBeTrue();
    }

    [Fact]
    public void A_path_that_is_a_file_can_not_be_used()
    {
        Write("file", 1, 0);
        DirectoryContent.Read(Path.Combine(_root, "file"), 100).Error.ShouldNotBeNull();
    }

    [Fact]
    public void Files_and_directories_are_checkpoints_the_newest_first()
    {
        Write("step-1/weights", 10, minute: 1);
        Write("step-1/deep/optimizer", 5, minute: 4);
        Write("step-2.json", 3, minute: 2);
        var content = Read();
        (content.Bytes, content.Objects).ShouldBe((18, 3));
        content.Checkpoints.Select(checkpoint => (checkpoint.Name, checkpoint.Bytes)).ShouldBe([("step-1", 15L), ("step-2.json", 3L)]);
        content.Checkpoints[0].DurableAt.ShouldBe(Day.AddMinutes(4));
        content.Checkpoints[1].Uri.ShouldBe($"file://{_root}/step-2.json");
    }

    [Theory]
    [InlineData("step-9.tmp")]
    [InlineData(".step-9")]
    public void What_is_being_written_counts_as_bytes_alone(string name)
    {
        Write(name, 7, minute: 1);
        var content = Read();
        content.Bytes.ShouldBe(7);
        content.Checkpoints.ShouldBeEmpty();
    }

    [Fact]
    public void Twenty_checkpoints_are_shown()
    {
        for (var step = 0; step < 25; step++) Write($"step-{step:00}", 1, step);
        Read().Checkpoints.Select(checkpoint => checkpoint.Name).ShouldBe(Enumerable.Range(5, 20).Reverse().Select(step => $"step-{step:00}"));
    }

    [Theory]
    [InlineData("flat-")]
    [InlineData("directory/")]
    public void No_more_files_are_looked_at_than_allowed(string prefix)
    {
        for (var file = 0; file < 6; file++) Write($"{prefix}{file}", 1, 0);
        var some = DirectoryContent.Read(_root, 4);
        (some.Objects, some.Complete).ShouldBe((4, false));
        (Read().Objects, Read().Complete).ShouldBe((6, true));
    }

    [Fact]
    public void A_link_leads_nowhere_else()
    {
        Write("real", 1, 0);
        Directory.CreateSymbolicLink(Path.Combine(_root, "link"), "/usr");
        Read().Objects.ShouldBe(1);
    }

    private DirectoryContent Read() => DirectoryContent.Read(_root, 1000);

    private void Write(string name, int bytes, int minute)
    {
        var path = Path.Combine(_root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, new byte[bytes]);
        File.SetLastWriteTimeUtc(path, Day.AddMinutes(minute));
        // The time of a file counts, not that of the directory, which changes with every other file.
        for (var above = Path.GetDirectoryName(path)!; above != _root; above = Path.GetDirectoryName(above)!) Directory.SetLastWriteTimeUtc(above, Day);
    }
}
