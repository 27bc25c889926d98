using Trestle.Local.Plane.Slurm;

namespace Trestle.Local.Plane.Tests.Slurm;

public sealed class SlurmAttachmentTextTests
{
    private readonly HashSet<string> _files = ["/home/me/.ssh/id_ed25519", "/home/me/.ssh/id_rsa", "/home/me/.ssh/known_hosts", "/work/keys/alps", "/home/me/pins"];

    [Fact]
    public void What_is_left_out_is_as_ssh_has_it()
    {
        var read = Read("alps=ssh://login.alps.example");
        (read.Name, read.User, read.Host, read.Port).ShouldBe(("alps", "me", "login.alps.example", 22));
        (read.KeyFile, read.KnownHostsFile).ShouldBe(("/home/me/.ssh/id_ed25519", "/home/me/.ssh/known_hosts"));
        read.Namespaces.ShouldBe(["default"]);
        read.Where.ShouldBe("me@login.alps.example");
    }

    [Fact]
    public void Everything_can_be_said()
    {
        var read = Read("alps=ssh://alice@10.0.0.7:2222?key=keys/alps&known-hosts=~/pins&jump=gate.example&jump=bob@inner:22&namespace=research&namespace=infra&partition=gpu&account=rl&qos=high&work-root=%2Fshared%2Ftrestle&poll=2s");
        (read.User, read.Host, read.Port, read.KeyFile, read.KnownHostsFile).ShouldBe(("alice", "10.0.0.7", 2222, "/work/keys/alps", "/home/me/pins"));
        read.JumpHosts.ShouldBe(["gate.example", "bob@inner:22"]);
        read.Namespaces.ShouldBe(["research", "infra"]);
        (read.Partition, read.Account, read.Qos, read.WorkRoot, read.Poll).ShouldBe(("gpu", "rl", "high", "/shared/trestle", "2s"));
        read.Where.ShouldBe("alice@10.0.0.7:2222");
    }

    [Theory]
    [InlineData("local", "local", null)]
    [InlineData("here=local", "here", null)]
    [InlineData("me@daint.example", "daint", "daint.example")]
    [InlineData("v6=[fd00::7]:2222", "v6", "fd00::7")]
    public void A_short_form_is_enough(string text, string name, string? host) => (Read(text).Name, Read(text).Host).ShouldBe((name, host));

    [Theory]
    [InlineData("", "write NAME=ssh://USER@HOST")]
    [InlineData("alps=", "write NAME=ssh://USER@HOST")]
    [InlineData("alps=-oProxyCommand=x", "write NAME=ssh://USER@HOST")]
    [InlineData("alps=http://login", "write NAME=ssh://USER@HOST")]
    [InlineData("Alps=login", "'Alps' is no name of a cluster")]
    [InlineData("10.0.0.7", "it needs a name; write e.g. slurm=10.0.0.7")]
    [InlineData("alps=login:70000", "port 70000 must be from 1 to 65535")]
    [InlineData("alps=login?identity=x", "'identity' is no option of a cluster; they are key, known-hosts")]
    [InlineData("alps=login?key", "key needs a value")]
    [InlineData("alps=login?key=gone", "key: there is no file /work/gone")]
    [InlineData("here=local?key=keys/alps", "key is for clusters that are reached by SSH")]
    public void What_cant_be_used_is_told_with_what_to_write(string text, string sentence) =>
        Should.Throw<FormatException>(() => Read(text)).Message.ShouldStartWith($"--slurm {text}: {sentence}");

    [Theory]
    [InlineData("/home/me/.ssh/known_hosts", "log in once with ssh")]
    [InlineData("/home/me/.ssh/id_", "name one with ?key=FILE")]
    public void A_missing_file_of_ssh_is_told(string start, string sentence)
    {
        _files.RemoveWhere(file => file.StartsWith(start, StringComparison.Ordinal));
        Should.Throw<FormatException>(() => Read("alps=login")).Message.ShouldContain(sentence);
    }

    private SlurmAttachment Read(string text) => new SlurmAttachmentText("me", "/home/me", path => Path.GetFullPath(path, "/work"), _files.Contains).Read(text);
}
