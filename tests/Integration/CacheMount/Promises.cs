using System.IO.Hashing;
using Trestle.CacheMount.Checkpoints;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Integration.Tests.CacheMount;

/// <summary>
/// Holds what a store has to what was promised, at any moment: every object is one whole version of its file; what a manifest lists is there
/// as it says; and when a file of the order is visible, all before it are.
/// </summary>
internal sealed class Promises
{
    private const string Prefix = "run/";
    private readonly List<(string Root, string Path, byte[] Content)> _closed = [];

    /// <summary>Writes a file and remembers it. Each path is written once, in order, and no two within one tick of the file system's clock: of files that nobody saw being closed it is all that tells their order.</summary>
    public void Write(string root, string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, path))!);
        File.WriteAllBytes(Path.Combine(root, path), content);
        _closed.Add((root, path, content));
        var written = File.GetLastWriteTimeUtc(Path.Combine(root, path));
        using var clock = new TemporaryDirectory();
        SpinWait.SpinUntil(() => File.GetLastWriteTimeUtc(clock.Write("tick", "")) > written, TimeSpan.FromSeconds(5)).ShouldBeTrue("the clock of the file system stands still");
    }

    /// <summary>What must hold at any moment.</summary>
    public void Hold(FaultyS3 server)
    {
        foreach (var (root, path, content) in _closed)
        {
            File.ReadAllBytes(Path.Combine(root, path)).AsSpan().SequenceEqual(content).ShouldBeTrue($"the local copy of {path} was changed");
            if (server.Objects[Prefix + path] is { } stored) stored.Bytes.AsSpan().SequenceEqual(content).ShouldBeTrue($"{path} in the store is not what was closed");
        }

        foreach (var manifest in Manifests(server))
        {
            foreach (var file in manifest.Files)
            {
                var stored = server.Objects[Prefix + file.Path].ShouldNotBeNull($"{manifest.Name} is listed and {file.Path} is not there");
                (stored.Size, stored.ETag, Crc32.HashToUInt32(stored.Bytes)).ShouldBe((file.Size, file.ETag, file.Crc32));
            }

            manifest.Files.Select(file => file.Path).Order(StringComparer.Ordinal).ShouldBe(_closed.Select(file => file.Path).Where(path => path.StartsWith(manifest.Name + "/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        }
    }

    /// <summary>What must hold after a flush.</summary>
    public void HoldAll(FaultyS3 server)
    {
        Hold(server);
        foreach (var (_, path, _) in _closed) server.Objects[Prefix + path].ShouldNotBeNull($"{path} is not in the store after a flush");
    }

    /// <summary>Paths of files in the order in which they first became visible.</summary>
    public static List<string> Order(FaultyS3 server) => [.. server.Objects.Visible.Where(key => !key.Contains("/.trestle/", StringComparison.Ordinal)).Select(key => key[Prefix.Length..]).Distinct()];

    public static IEnumerable<Manifest> Manifests(FaultyS3 server) =>
        server.Objects.Keys.Where(key => key.StartsWith(Prefix + Manifest.Folder, StringComparison.Ordinal)).Select(key => Manifest.FromJson(server.Objects[key]!.Bytes).ShouldNotBeNull());
}
