using CsCheck;
using Trestle.Local.Nodes.Containers;
using Trestle.Local.Nodes.Volumes;

namespace Trestle.Local.Nodes.Tests;

public sealed class VolumePathsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("trestle-volume-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("/etc/passwd")]
    [InlineData("")]
    [InlineData("a\0b")]
    public void Paths_that_could_leave_the_volume_are_refused(string path) => Should.Throw<ContainerConfigException>(() => VolumePaths.Inside(_root, path));

    [Theory]
    [InlineData("/etc")]
    [InlineData("../..")]
    [InlineData("loop")]
    public void A_link_that_leads_out_is_refused(string target)
    {
        File.CreateSymbolicLink(Path.Combine(_root, "loop"), target);
        Should.Throw<ContainerConfigException>(() => VolumePaths.Inside(_root, "loop/shadow"));
    }

    [Fact]
    public void A_link_that_stays_inside_is_followed()
    {
        Directory.CreateDirectory(Path.Combine(_root, "real"));
        File.CreateSymbolicLink(Path.Combine(_root, "link"), "real");
        VolumePaths.Inside(_root, "link/x").ShouldBe(Path.Combine(_root, "real", "x"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("relative")]
    [InlineData("/a/../../b")]
    [InlineData("/proc/1")]
    [InlineData("/dev")]
    public void Mount_paths_that_would_break_the_sandbox_are_refused(string path) => Should.Throw<ContainerConfigException>(() => VolumePaths.CheckMountPath(path));

    [Fact]
    public void No_path_made_of_hostile_pieces_ends_outside()
    {
        Directory.CreateDirectory(Path.Combine(_root, "d"));
        File.CreateSymbolicLink(Path.Combine(_root, "d", "up"), "..");
        File.CreateSymbolicLink(Path.Combine(_root, "out"), "/");
        Gen.OneOf("d", "up", "..", ".", "out", "etc", "x", "").Array[0, 6].Sample(parts =>
        {
            try
            {
                var path = VolumePaths.Inside(_root, string.Join('/', parts));
                return path == _root || path.StartsWith(_root + "/", StringComparison.Ordinal);
            }
            catch (ContainerConfigException)
            {
                return true;
            }
        });
    }

    [Fact]
    public void Files_of_a_volume_change_all_at_once()
    {
        AtomicDirectory.Write(_root, [new("a", "1"u8.ToArray(), 0x1A4), new("sub/b", "1"u8.ToArray(), 0x100)]);
        File.ReadAllText(Path.Combine(_root, "sub", "b")).ShouldBe("1");
        var before = new FileInfo(Path.Combine(_root, "..data")).LinkTarget;
        AtomicDirectory.Write(_root, [new("a", "1"u8.ToArray(), 0x1A4), new("sub/b", "1"u8.ToArray(), 0x100)]);
        new FileInfo(Path.Combine(_root, "..data")).LinkTarget.ShouldBe(before);
        AtomicDirectory.Write(_root, [new("a", "2"u8.ToArray(), 0x1A4)]);
        File.ReadAllText(Path.Combine(_root, "a")).ShouldBe("2");
        File.Exists(Path.Combine(_root, "sub", "b")).ShouldBeFalse();
        Directory.GetDirectories(_root, "..*").Length.ShouldBe(2); // ..data and one generation
    }
}
