using Microsoft.Extensions.Logging.Abstractions;
using Trestle.CacheMount.Checkpoints;
using Trestle.CacheMount.Stores;
using Trestle.Testing;

namespace Trestle.CacheMount.Tests.Checkpoints;

public sealed class FollowerTests : IDisposable
{
    private readonly TemporaryDirectory _into = new();
    private readonly TemporaryDirectory _staging = new();

    public void Dispose()
    {
        _into.Dispose();
        _staging.Dispose();
    }

    [Fact]
    public async Task A_durable_checkpoint_comes_into_place_as_a_whole_and_an_unfinished_one_does_not()
    {
        await using var mount = new AMount();
        mount.Write("step-1/a", "a longer file");
        mount.Write("step-1/deep/b", "");
        mount.Write("step-1/.metadata", "1");
        mount.Write("step-2/a", "1");
        await mount.FlushAsync();
        var follower = Follow(mount.Store);
        (await follower.LookAsync(CancellationToken.None)).ShouldBe(["step-1"]);
        Text(_into["step-1/a"]).ShouldBe("a longer file");
        Text(_into["step-1/deep/b"]).ShouldBe("");
        Directory.Exists(_into["step-2"]).ShouldBeFalse();
        (await follower.LookAsync(CancellationToken.None)).ShouldBeEmpty();
        Directory.GetFileSystemEntries(_staging.FullName).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_checkpoint_that_was_written_anew_takes_the_place_of_the_old_one()
    {
        await using var mount = new AMount();
        mount.Write("step-1/a", "1");
        mount.Write("step-1/.metadata", "1");
        await mount.FlushAsync();
        var follower = Follow(mount.Store);
        await follower.LookAsync(CancellationToken.None);
        mount.Write("step-1/a", "22");
        mount.Write("step-1/.metadata", "22");
        await mount.FlushAsync();
        (await follower.LookAsync(CancellationToken.None)).ShouldBe(["step-1"]);
        Text(_into["step-1/a"]).ShouldBe("22");
    }

    [Fact]
    public async Task What_is_not_what_its_manifest_says_never_comes_into_place()
    {
        await using var mount = new AMount();
        mount.Write("step-1", "right");
        await mount.FlushAsync();
        // The same tag and size, other bytes: a store that lies.
        var manifest = mount.Manifests[0];
        var lie = manifest with { Files = [manifest.Files[0] with { Crc32 = manifest.Files[0].Crc32 + 1 }] };
        mount.Store.Place(Manifest.KeyOf("step-1"), lie.ToJson(), new Dictionary<string, string>());
        var follower = Follow(mount.Store);
        (await follower.LookAsync(CancellationToken.None)).ShouldBeEmpty();
        Directory.GetFileSystemEntries(_into.FullName).ShouldBeEmpty();
        mount.Store.Place(Manifest.KeyOf("step-1"), manifest.ToJson(), new Dictionary<string, string>());
        (await follower.LookAsync(CancellationToken.None)).ShouldBe(["step-1"]);
    }

    private static string Text(string path) => File.ReadAllText(path);

    private Follower Follow(IObjectStore store) => new(store, _into.FullName, _staging.FullName, 4, TimeProvider.System, NullLogger.Instance);
}
