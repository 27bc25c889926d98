using System.Diagnostics;
using System.Globalization;
using Trestle.Testing;
using Trestle.Testing.S3;

namespace Trestle.Bench.CacheMount;

/// <summary>A directory that one kind of mount serves, with a cache of its own and a prefix of the bucket.</summary>
public sealed class BenchedMount : IAsyncDisposable
{
    private static readonly string Node = BuiltProgram.Find("Trestle.Node", "node", "trestle-node.dll");
    private readonly TemporaryDirectory _place = new();
    private readonly Uri _endpoint;
    private readonly string _prefix;
    private readonly MountKind _kind;
    private Command? _server;

    private BenchedMount(MountKind kind, Uri endpoint, string prefix) => (_kind, _endpoint, _prefix) = (kind, endpoint, prefix);

    /// <summary>Where files are written.</summary>
    public string Files => _kind == MountKind.LocalDisk ? _place.FullName : _place["files"];

    private bool IsOurs => _kind is MountKind.FusePassthrough or MountKind.FusePlain or MountKind.Directory;

    public static async Task<BenchedMount> StartAsync(MountKind kind, Uri endpoint, string prefix)
    {
        var mount = new BenchedMount(kind, endpoint, prefix);
        Directory.CreateDirectory(mount.Files);
        if (kind == MountKind.LocalDisk) return mount;
        if (mount.IsOurs) mount.StartOurs();
        else mount.StartRclone(kind == MountKind.RcloneEightTransfers ? 8 : 4);
        await Condition.UntilAsync("it serves", () => mount.IsOurs ? File.Exists(mount._place["state/socket"]) : File.ReadLines("/proc/mounts").Any(line => line.Contains(mount.Files, StringComparison.Ordinal)), explain: () => Task.FromResult(mount._server!.Error));
        return mount;
    }

    /// <summary>Waits until the store has so many objects of this prefix, or ours says so.</summary>
    public async Task FlushAsync(int objects)
    {
        if (IsOurs)
        {
            (await Command.RunAsync("dotnet", [Node, "cachemount", "flush", "--socket", _place["state/socket"]], timeout: TimeSpan.FromMinutes(10))).ShouldExit(0);
            return;
        }

        using var http = new HttpClient();
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", FaultyS3.AccessKey);
        var listing = new Uri(_endpoint, $"/{FaultyS3.Bucket}/?list-type=2&prefix={_prefix}/");
        await Condition.UntilAsync("rclone has stored everything", async () => (await http.GetStringAsync(listing)).Split("<Key>").Length - 1 >= objects, TimeSpan.FromMinutes(10));
    }

    /// <summary>Processor time so far; null when nobody serves.</summary>
    public TimeSpan? Cpu()
    {
        if (_server is null) return null;
        using var process = Process.GetProcessById(_server.Id);
        return process.TotalProcessorTime;
    }

    /// <summary>Most memory so far, in MiB; null when nobody serves.</summary>
    public double? MemoryMiB() => _server is null ? null
        : double.Parse(string.Concat(File.ReadLines($"/proc/{_server.Id}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Where(char.IsAsciiDigit)), CultureInfo.InvariantCulture) / 1024;

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            // rclone does not end before it has stored every small file, which nobody measures.
            if (!IsOurs) await Command.RunAsync("umount", ["-l", Files]);
            _server.Signal(IsOurs ? "TERM" : "KILL");
            await _server.EndAsync();
            await _server.DisposeAsync();
        }

        _place.Dispose();
    }

    private void StartOurs() => _server = Command.Start(
        "dotnet",
        [
            Node, "cachemount", "serve", "--cache", _place.FullName, "--store", $"s3://{FaultyS3.Bucket}/{_prefix}", "--endpoint", _endpoint.AbsoluteUri, "--path-style", "true",
            "--front", _kind == MountKind.Directory ? "Directory" : "Fuse", "--passthrough", _kind == MountKind.FusePassthrough ? "true" : "false",
        ],
        FaultyS3.Credentials);

    // The flags that SkyPilot mounts with; another number of transfers is the only thing it lets one change.
    private void StartRclone(int transfers) => _server = Command.Start(
        "rclone",
        [
            "mount", $"bench:{FaultyS3.Bucket}/{_prefix}", Files, "--vfs-cache-mode", "full", "--dir-cache-time", "10s", "--vfs-cache-poll-interval", "10s", "--vfs-write-back", "1s",
            "--vfs-cache-max-size", "10G", "--vfs-fast-fingerprint", "--transfers", transfers.ToString(CultureInfo.InvariantCulture), "--cache-dir", _place["cache"], "--config", "/dev/null", "--s3-no-check-bucket",
        ],
        new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["AWS_CA_BUNDLE"] = null, // rclone refuses one in the environment
            ["RCLONE_CONFIG_BENCH_TYPE"] = "s3",
            ["RCLONE_CONFIG_BENCH_PROVIDER"] = "Other",
            ["RCLONE_CONFIG_BENCH_ENDPOINT"] = _endpoint.AbsoluteUri,
            ["RCLONE_CONFIG_BENCH_ACCESS_KEY_ID"] = FaultyS3.AccessKey,
            ["RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY"] = FaultyS3.SecretKey,
            ["RCLONE_CONFIG_BENCH_FORCE_PATH_STYLE"] = "true",
        });
}
