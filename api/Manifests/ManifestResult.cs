using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;

namespace Trestle.Api.Manifests;

/// <summary>What a file holds. With errors, the rest is not to be used.</summary>
public sealed record ManifestResult
{
    /// <summary>In the order of the file; what jobs need comes before them.</summary>
    public IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Objects { get; init; } = [];

    /// <summary>Buckets that mounts name and the file does not describe.</summary>
    public IReadOnlyList<Storage> Storages { get; init; } = [];

    /// <summary>Whether <see cref="LocalWorkdirs"/> are relative to the file; else to where the reader works.</summary>
    public bool IsRelativeToFile { get; init; }

    /// <summary>Working directories on the machine of the reader, as written, with the spec that wants them.</summary>
    public IReadOnlyList<(IHasWorkdir Spec, string Path)> LocalWorkdirs { get; init; } = [];

    /// <summary>What to change before it can be used; in the order of the file.</summary>
    public IReadOnlyList<ManifestError> Errors { get; init; } = [];

    /// <summary>What became of each key of a foreign format.</summary>
    public IReadOnlyList<ManifestLine> Report { get; init; } = [];
}
