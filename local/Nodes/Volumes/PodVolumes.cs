using System.Text;
using k8s.Models;
using Trestle.Local.Nodes.Containers;
using Trestle.Local.Nodes.Pods;
using Trestle.Local.Nodes.Sandbox;

namespace Trestle.Local.Nodes.Volumes;

/// <summary>Where the volumes of this machine live, and what fills them.</summary>
/// <param name="ClaimRoot">Directory of persistent volume claims, one directory each.</param>
/// <param name="MemoryRoot">Directory of memory-backed emptyDirs; null when there is none.</param>
/// <param name="AuthorityPem">Certificate of the API server's authority.</param>
/// <param name="Token">Gives a service account token.</param>
public sealed record VolumeContext(string ClaimRoot, string? MemoryRoot, string AuthorityPem, Func<V1Pod, V1ServiceAccountTokenProjection, CancellationToken, Task<string>> Token);

/// <summary>Makes the volumes of one pod and says where they are bound in each container.</summary>
public sealed class PodVolumes(string podDirectory, VolumeContext context, TimeProvider time)
{
    /// <summary>Where containers find their service account.</summary>
    public const string ServiceAccountPath = "/var/run/secrets/kubernetes.io/serviceaccount";

    private const string AutomaticVolume = "kube-api-access";
    private const int DefaultTokenSeconds = 3607;
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromSeconds(10);
    private readonly Dictionary<string, string> _paths = [];
    private readonly Dictionary<string, (string Text, DateTimeOffset RenewAt)> _tokens = [];

    /// <summary>When these volumes want refreshing: for a token, or for a ConfigMap or Secret that may have changed; null for never.</summary>
    public DateTimeOffset? RenewAt { get; private set; }

    /// <summary>They could not be refreshed: not at once again.</summary>
    public void PutOff() => RenewAt = time.GetUtcNow() + RefreshEvery;

    /// <summary>
    /// Makes or refreshes every volume. Throws <see cref="ContainerConfigException"/> for what can't be made as written.
    /// </summary>
    public async Task PrepareAsync(V1Pod pod, PodObjects objects, CancellationToken ct)
    {
        RenewAt = null;
        foreach (var volume in pod.Spec.Volumes ?? []) _paths[volume.Name] = await MakeAsync(pod, volume, objects, ct);
        if (MayChange(PodReferences.OfVolumes(pod), objects)) RenewBy(time.GetUtcNow() + RefreshEvery);
        if (Automounts(pod)) _paths[AutomaticVolume] = await FilledAsync(AutomaticVolume, await ProjectedAsync(pod, AutomaticSources(), objects, 0x1A4, ct));
    }

    /// <summary>Binds of one container. Call after <see cref="PrepareAsync"/>.</summary>
    public IReadOnlyList<SandboxMount> Mounts(V1Pod pod, V1Container container, IReadOnlyDictionary<string, string> environment)
    {
        var mounts = new List<SandboxMount>();
        foreach (var mount in container.VolumeMounts ?? [])
        {
            VolumePaths.CheckMountPath(mount.MountPath);
            var volume = pod.Spec.Volumes?.FirstOrDefault(v => v.Name == mount.Name)
                ?? throw new ContainerConfigException($"container {container.Name} mounts the volume {mount.Name}, which the pod has not got");
            var source = SubPath(_paths[mount.Name], volume, mount, environment);
            var fixedContent = volume.ConfigMap is not null || volume.Secret is not null || volume.Projected is not null || volume.DownwardAPI is not null;
            mounts.Add(new SandboxMount(source, mount.MountPath.TrimEnd('/'), Directory.Exists(source), fixedContent || mount.ReadOnlyProperty == true));
        }

        if (_paths.TryGetValue(AutomaticVolume, out var account) && mounts.All(m => m.Target != ServiceAccountPath))
            mounts.Add(new SandboxMount(account, ServiceAccountPath, IsDirectory: true, ReadOnly: true));
        return mounts;
    }

    private async Task<string> MakeAsync(V1Pod pod, V1Volume volume, PodObjects objects, CancellationToken ct) => volume switch
    {
        { EmptyDir: { } empty } => Empty(pod, volume.Name, empty),
        { HostPath: { } host } => HostPath(host),
        { PersistentVolumeClaim: { } claim } => Directory.CreateDirectory(Path.Combine(context.ClaimRoot, pod.Metadata.NamespaceProperty, claim.ClaimName)).FullName,
        { ConfigMap: { } map } => await FilledAsync(volume.Name, ConfigMapFiles(objects, map.Name, map.Items, map.Optional, map.DefaultMode ?? 0x1A4)),
        { Secret: { } secret } => await FilledAsync(volume.Name, SecretFiles(objects, secret.SecretName, secret.Items, secret.Optional, secret.DefaultMode ?? 0x1A4)),
        { DownwardAPI: { } downward } => await FilledAsync(volume.Name, Downward(pod, downward.Items, downward.DefaultMode ?? 0x1A4)),
        { Projected: { } projected } => await FilledAsync(volume.Name, await ProjectedAsync(pod, projected.Sources ?? [], objects, projected.DefaultMode ?? 0x1A4, ct)),
        _ => throw new ContainerConfigException($"the volume {volume.Name} is of a kind that one machine has not got; use emptyDir, hostPath, configMap, secret, projected, downwardAPI or a claim"),
    };

    private string Empty(V1Pod pod, string name, V1EmptyDirVolumeSource empty)
    {
        var root = empty.Medium == "Memory" && context.MemoryRoot is { } memory ? Path.Combine(memory, pod.Metadata.Uid) : Path.Combine(podDirectory, ".volumes");
        var directory = Directory.CreateDirectory(Path.Combine(root, name)).FullName;
        File.SetUnixFileMode(directory, (UnixFileMode)0x1FF);
        return directory;
    }

    private static string HostPath(V1HostPathVolumeSource host)
    {
        var path = host.Path;
        if (!path.StartsWith('/') || path.Split('/').Contains("..")) throw new ContainerConfigException($"hostPath {path} must be absolute, without '..'");
        var isDirectory = Directory.Exists(path);
        var exists = isDirectory || Path.Exists(path);
        switch (host.Type ?? "")
        {
            case "DirectoryOrCreate" when !exists:
                Directory.CreateDirectory(path);
                return path;
            case "FileOrCreate" when !exists:
                File.WriteAllBytes(path, []);
                return path;
        }

        if (!exists) throw new ContainerConfigException($"hostPath {path} does not exist on this machine");
        if ((host.Type ?? "").StartsWith("Directory", StringComparison.Ordinal) && !isDirectory) throw new ContainerConfigException($"hostPath {path} is not a directory");
        if (host.Type is "File" or "FileOrCreate" && isDirectory) throw new ContainerConfigException($"hostPath {path} is not a file");
        return path;
    }

    private Task<string> FilledAsync(string volume, IReadOnlyList<VolumeFile> files)
    {
        var directory = Path.Combine(podDirectory, ".volumes", volume);
        AtomicDirectory.Write(directory, files);
        return Task.FromResult(directory);
    }

    private async Task<IReadOnlyList<VolumeFile>> ProjectedAsync(V1Pod pod, IEnumerable<V1VolumeProjection> sources, PodObjects objects, int mode, CancellationToken ct)
    {
        var files = new List<VolumeFile>();
        foreach (var source in sources)
        {
            if (source.ServiceAccountToken is { } token) files.Add(await TokenAsync(pod, token, mode, ct));
            else if (source.ConfigMap is { } map) files.AddRange(map.Name == "kube-root-ca.crt" && !objects.ConfigMaps.ContainsKey(map.Name) ? [Authority(map, mode)] : ConfigMapFiles(objects, map.Name, map.Items, map.Optional, mode));
            else if (source.Secret is { } secret) files.AddRange(SecretFiles(objects, secret.Name, secret.Items, secret.Optional, mode));
            else if (source.DownwardAPI is { } downward) files.AddRange(Downward(pod, downward.Items, mode));
            else throw new ContainerConfigException("a projected volume has a source of a kind that one machine has not got");
        }

        return files;
    }

    private async Task<VolumeFile> TokenAsync(V1Pod pod, V1ServiceAccountTokenProjection token, int mode, CancellationToken ct)
    {
        var key = $"{token.Audience}\n{token.Path}";
        if (!_tokens.TryGetValue(key, out var held) || held.RenewAt <= time.GetUtcNow())
            _tokens[key] = held = (await context.Token(pod, token, ct), time.GetUtcNow().AddSeconds((token.ExpirationSeconds ?? DefaultTokenSeconds) * 0.8));
        RenewBy(held.RenewAt);
        return new VolumeFile(token.Path, Encoding.UTF8.GetBytes(held.Text), mode);
    }

    private void RenewBy(DateTimeOffset at) => RenewAt = RenewAt is { } earlier && earlier < at ? earlier : at;

    // As on a kubelet; one that is not there yet may come.
    private static bool MayChange(PodReferences sources, PodObjects objects) =>
        sources.ConfigMaps.Any(name => objects.ConfigMaps.GetValueOrDefault(name)?.Immutable != true)
        || sources.Secrets.Any(name => objects.Secrets.GetValueOrDefault(name)?.Immutable != true);

    private VolumeFile Authority(V1ConfigMapProjection map, int mode) => new(map.Items is [var item, ..] ? item.Path : "ca.crt", Encoding.UTF8.GetBytes(context.AuthorityPem), mode);

    private static IReadOnlyList<VolumeFile> Downward(V1Pod pod, IEnumerable<V1DownwardAPIVolumeFile>? items, int mode) =>
        [.. (items ?? []).Select(i => new VolumeFile(i.Path, Encoding.UTF8.GetBytes(i.FieldRef is { } field ? FieldPaths.Field(pod, field.FieldPath, pod.Status?.PodIP ?? "", pod.Status?.HostIP ?? "") : FieldPaths.Resource(pod, i.ResourceFieldRef, "")), i.Mode ?? mode))];

    private static IReadOnlyList<VolumeFile> ConfigMapFiles(PodObjects objects, string name, IList<V1KeyToPath>? items, bool? optional, int mode)
    {
        if (!objects.ConfigMaps.TryGetValue(name, out var map)) return optional == true ? [] : throw new ContainerConfigException($"configmap \"{name}\" not found");
        var data = (map.Data ?? new Dictionary<string, string>()).ToDictionary(p => p.Key, p => Encoding.UTF8.GetBytes(p.Value));
        foreach (var (key, value) in map.BinaryData ?? new Dictionary<string, byte[]>()) data[key] = value;
        return Chosen(data, items, optional, mode, $"configmap \"{name}\"");
    }

    private static IReadOnlyList<VolumeFile> SecretFiles(PodObjects objects, string name, IList<V1KeyToPath>? items, bool? optional, int mode)
    {
        if (!objects.Secrets.TryGetValue(name, out var secret)) return optional == true ? [] : throw new ContainerConfigException($"secret \"{name}\" not found");
        return Chosen(secret.Data ?? new Dictionary<string, byte[]>(), items, optional, mode, $"secret \"{name}\"");
    }

    private static IReadOnlyList<VolumeFile> Chosen(IDictionary<string, byte[]> data, IList<V1KeyToPath>? items, bool? optional, int mode, string what)
    {
        if (items is not { Count: > 0 }) return [.. data.Select(p => new VolumeFile(p.Key, p.Value, mode))];
        var files = new List<VolumeFile>();
        foreach (var item in items)
        {
            if (data.TryGetValue(item.Key, out var content)) files.Add(new VolumeFile(item.Path, content, item.Mode ?? mode));
            else if (optional != true) throw new ContainerConfigException($"{what} has no key {item.Key}");
        }

        return files;
    }

    private static string SubPath(string root, V1Volume volume, V1VolumeMount mount, IReadOnlyDictionary<string, string> environment)
    {
        var relative = mount.SubPathExpr is { Length: > 0 } expression ? VariableExpansion.Expand(expression, environment) : mount.SubPath;
        if (string.IsNullOrEmpty(relative)) return root;
        var path = VolumePaths.Inside(root, relative);
        if (Path.Exists(path)) return path;
        if (volume.EmptyDir is null && volume.HostPath is null && volume.PersistentVolumeClaim is null)
            throw new ContainerConfigException($"the volume {volume.Name} has no {relative}");
        return Directory.CreateDirectory(path).FullName;
    }

    // A pod that came through admission already names its token volume; one that did not gets it here.
    private static bool Automounts(V1Pod pod) =>
        pod.Spec.AutomountServiceAccountToken != false
        && !pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []).Any(c => c.VolumeMounts?.Any(m => m.MountPath.TrimEnd('/') == ServiceAccountPath) == true);

    private static IEnumerable<V1VolumeProjection> AutomaticSources() =>
    [
        new() { ServiceAccountToken = new V1ServiceAccountTokenProjection { Path = "token", ExpirationSeconds = DefaultTokenSeconds } },
        new() { ConfigMap = new V1ConfigMapProjection { Name = "kube-root-ca.crt", Items = [new V1KeyToPath { Key = "ca.crt", Path = "ca.crt" }] } },
        new() { DownwardAPI = new V1DownwardAPIProjection { Items = [new V1DownwardAPIVolumeFile { Path = "namespace", FieldRef = new V1ObjectFieldSelector { FieldPath = "metadata.namespace" } }] } },
    ];
}
