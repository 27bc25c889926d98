using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Integration.Tests.CacheMount.Fuse;

/// <summary>Two mounts that the tests of one class share: one whose files the kernel may serve by itself, and one where we do.</summary>
public sealed class FuseMounts : IAsyncLifetime
{
    private readonly TemporaryDirectory _caches = new();
    private readonly List<MountProcess> _mounts = [];
    private FaultyS3? _server;

    /// <summary>The directory of a mount.</summary>
    public string this[bool passthrough] => _mounts[passthrough ? 0 : 1].Files;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists("/dev/fuse") || Trestle.CacheMount.Native.Posix.User() != 0) return; // the tests say so
        _server = await FaultyS3.StartAsync(discard: true);
        foreach (var passthrough in new[] { "true", "false" })
        {
            var mount = MountProcess.Start(_caches[passthrough], _server, null, "--front", "Fuse", "--passthrough", passthrough, "--list-every", "3600");
            _mounts.Add(mount);
            await mount.ReadyAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var mount in _mounts)
        {
            mount.Signal("TERM");
            await mount.EndAsync();
            await mount.DisposeAsync();
        }

        if (_server is not null) await _server.DisposeAsync();
        _caches.Dispose();
    }
}
