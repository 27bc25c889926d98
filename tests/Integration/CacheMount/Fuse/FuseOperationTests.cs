using Trestle.Testing;

namespace Trestle.Integration.Tests.CacheMount.Fuse;

/// <summary>Programs see on the mount what they see on a plain disk: operations.py does the same to both.</summary>
public sealed class FuseOperationTests(FuseMounts mounts) : IClassFixture<FuseMounts>
{
    private static readonly string Script = RepositoryFiles.Path("tests/Integration/CacheMount/Fuse/operations.py");

    public static TheoryData<string, bool> Operations
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var line in File.ReadLines(Script).Where(line => line.StartsWith("def ", StringComparison.Ordinal) && line.EndsWith("():", StringComparison.Ordinal)))
            {
                data.Add(line[4..^3], true);
                data.Add(line[4..^3], false);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task What_a_program_does_looks_as_on_a_plain_disk(string operation, bool passthrough)
    {
        FuseDevice.Require();
        using var plain = new TemporaryDirectory();
        var mounted = Path.Combine(mounts[passthrough], operation);
        Directory.CreateDirectory(mounted);
        var expected = (await Command.RunAsync("python3", [Script, operation, plain.FullName])).ShouldExit(0);
        var seen = await Command.RunAsync("python3", [Script, operation, mounted]);
        (seen.Out + seen.Error).ShouldBe(expected.Out + expected.Error);
        expected.Out.ShouldNotBeEmpty();
    }
}
