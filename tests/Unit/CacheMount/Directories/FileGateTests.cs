using System.Runtime.InteropServices;
using Trestle.CacheMount.Directories;
using Trestle.Testing;

namespace Trestle.CacheMount.Tests.Directories;

public sealed partial class FileGateTests
{
    private const uint Version = 0x20080522;
    private const int LeaseBit = 28;

    // A pod's sidecar is root and has no CAP_LEASE, and its user's files are those of anybody.
    [Fact]
    public void Files_of_other_users_are_asked_about_without_the_right_to_leases()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("only root can make files of others");
        using var files = new TemporaryDirectory();
        var path = files.Write("a", "1");
        ChangeOwner(path, 12345, 12345).ShouldBe(0);
        var answers = new List<GateAnswer>();
        var thread = new Thread(() =>
        {
            DropLeases();
            answers.Add(FileGate.Look(path).Answer);
            using (new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) answers.Add(FileGate.Look(path).Answer);
            answers.Add(FileGate.Look(path).Answer);
        });
        thread.Start();
        thread.Join();
        answers.ShouldBe([GateAnswer.Free, GateAnswer.Busy, GateAnswer.Free]);
    }

    // Of this thread alone.
    private static unsafe void DropLeases()
    {
        var header = stackalloc uint[] { Version, 0 };
        var data = stackalloc uint[6];
        GetCapabilities(header, data).ShouldBe(0);
        data[0] &= ~(1u << LeaseBit);
        SetCapabilities(header, data).ShouldBe(0);
    }

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "capget")]
    private static unsafe partial int GetCapabilities(uint* header, uint* data);

    [LibraryImport("libc", EntryPoint = "capset")]
    private static unsafe partial int SetCapabilities(uint* header, uint* data);
}
