using k8s.Models;
using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Api.Manifests.SkyPilot;

/// <summary>file_mounts of a task → mounts and the buckets behind them.</summary>
internal sealed class SkyMounts(Notes notes, SkyVariables variables)
{
    private const string Bucket = "s3://";

    private static readonly Dictionary<string, MountMode> Modes = new(StringComparer.OrdinalIgnoreCase)
    {
        ["MOUNT"] = MountMode.Mount,
        ["MOUNT_CACHED"] = MountMode.MountCached,
        ["COPY"] = MountMode.Copy,
    };

    private readonly Dictionary<string, Storage> _storages = new(StringComparer.Ordinal);

    public List<StorageMount> Mounts { get; } = [];

    public IReadOnlyList<Storage> Storages => [.. _storages.Values];

    public void Read(YamlMap map)
    {
        foreach (var entry in map.Entries)
        {
            var path = variables.Fill(entry.Key);
            if (!path.StartsWith('/') || path.Contains("..", StringComparison.Ordinal) || path.Contains(':', StringComparison.Ordinal))
            {
                notes.Error(entry.Line, $"the mount path '{Notes.Shown(path)}' must be absolute and without '..' and ':', e.g. /checkpoints");
                continue;
            }

            var mount = new StorageMount { Path = path };
            if (entry.Value is YamlMap storage ? ReadStorage(storage, entry.Line, mount) : ReadSource(entry, mount))
            {
                Mounts.Add(mount);
                notes.Mapped(entry.Line, $"file_mounts {Notes.Shown(path)} → mounts: storage {mount.Storage}, mode {mount.Mode}");
            }
        }
    }

    // A source alone is copied before the start.
    private bool ReadSource(YamlEntry entry, StorageMount mount)
    {
        mount.Mode = MountMode.Copy;
        return notes.Text(entry) is { } source && From(variables.Fill(source), entry.Line, mount);
    }

    private bool ReadStorage(YamlMap storage, int line, StorageMount mount)
    {
        string? name = null, source = null;
        mount.Mode = MountMode.Mount;
        new KeyTable("a file mount", notes)
        {
            ["name"] = entry => name = Filled(entry),
            ["source"] = entry => source = Filled(entry),
            ["mode"] = entry => mount.Mode = Mode(entry),
            ["store"] = Store,
            ["persistent"] = Persistent,
        }.Read(storage);
        return (name, source) switch
        {
            (null, null) => Refuse(line, "a file mount needs name: (a bucket by name) or source: (s3://bucket/prefix)"),
            (null, _) => From(source, line, mount),
            (_, null) => Named(name, line, mount),
            _ when source.StartsWith(Bucket, StringComparison.Ordinal) => Refuse(line, "a file mount with source: s3://… is named after its bucket; remove name"),
            _ => From(source, line, mount),
        };
    }

    private string? Filled(YamlEntry entry) => notes.Text(entry) is { } text ? variables.Fill(text) : null;

    private bool From(string source, int line, StorageMount mount)
    {
        if (!source.StartsWith(Bucket, StringComparison.Ordinal))
        {
            return Refuse(line, source.Contains("://", StringComparison.Ordinal)
                ? $"'{Notes.Shown(source)}' is a store that can't be mounted; use s3://bucket/prefix, or an S3-compatible endpoint through a Storage"
                : $"'{Notes.Shown(source)}' is on this machine, and only workdir is sent along; put it into the workdir, or into a bucket");
        }

        var parts = source[Bucket.Length..].Split('/', 2);
        mount.SubPath = parts is [_, { Length: > 0 } prefix] ? prefix.Trim('/') : null;
        return Named(parts[0], line, mount);
    }

    private bool Named(string bucket, int line, StorageMount mount)
    {
        mount.Storage = HostName.Make(bucket, 63);
        if (mount.Storage.Length == 0)
        {
            return Refuse(line, $"'{Notes.Shown(bucket)}' can't be the name of a bucket; use letters, digits and '-'");
        }

        if (mount.SubPath?.Contains("..", StringComparison.Ordinal) == true)
        {
            return Refuse(line, "a path in a bucket can't hold '..'");
        }

        if (mount.Storage != bucket)
        {
            notes.NeedsYou(line, $"the bucket {Notes.Shown(bucket)} is the Storage {mount.Storage}");
        }

        if (_storages.TryGetValue(mount.Storage, out var other) && other.Spec.S3!.Bucket != bucket)
        {
            return Refuse(line, $"the buckets {Notes.Shown(bucket)} and {Notes.Shown(other.Spec.S3.Bucket)} would both be the Storage {mount.Storage}; describe one as kind: Storage");
        }

        _storages[mount.Storage] = new Storage
        {
            Metadata = new V1ObjectMeta { Name = mount.Storage },
            Spec = new StorageSpec { S3 = new S3Storage { Bucket = bucket } },
        };
        return true;
    }

    private MountMode? Mode(YamlEntry entry)
    {
        if (notes.Text(entry) is not { } text)
        {
            return null;
        }

        if (Modes.TryGetValue(text, out var mode))
        {
            return mode;
        }

        notes.Error(entry.Line, $"mode can't be '{Notes.Shown(text)}'{NearestName.Hint(text, Modes.Keys)}");
        return null;
    }

    private void Store(YamlEntry entry)
    {
        if (notes.Text(entry) is { } store && !store.Equals("s3", StringComparison.OrdinalIgnoreCase))
        {
            notes.Error(entry.Line, $"store: {Notes.Shown(store)} can't be mounted; use s3, or an S3-compatible endpoint through a Storage");
        }
    }

    private void Persistent(YamlEntry entry)
    {
        if (notes.Truth(entry) == false)
        {
            notes.NeedsYou(entry.Line, "persistent: false; nothing is deleted when the job ends, so delete the bucket yourself");
        }
    }

    private bool Refuse(int line, string sentence)
    {
        notes.Error(line, sentence);
        return false;
    }
}
