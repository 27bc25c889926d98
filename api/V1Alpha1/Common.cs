using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Trestle.Api.Schema;

namespace Trestle.Api.V1Alpha1;

/// <summary>API group and version of all kinds.</summary>
public static class ApiGroup
{
    /// <summary>The group.</summary>
    public const string Name = "trestle.dev";

    /// <summary>The version.</summary>
    public const string Version = "v1alpha1";

    /// <summary>As written in manifests.</summary>
    public const string ApiVersion = Name + "/" + Version;
}

/// <summary>The name of an object in the same namespace.</summary>
public sealed class NameReference
{
    /// <summary>Name of the object.</summary>
    [Required, MaxLength(253)]
    public string Name { get; set; } = "";
}

/// <summary>One key of a Secret or ConfigMap in the same namespace.</summary>
public sealed class KeySelector
{
    /// <summary>Name of the object.</summary>
    [Required, MaxLength(253)]
    public string Name { get; set; } = "";

    /// <summary>Key in the object.</summary>
    [Required, MaxLength(253)]
    public string Key { get; set; } = "";

    /// <summary>True: no error when the object or key is missing.</summary>
    public bool? Optional { get; set; }
}

/// <summary>One environment variable.</summary>
[ValidationRule("!(has(self.value) && has(self.valueFrom))", "an env entry takes value or valueFrom, not both; remove one")]
public sealed class EnvVar
{
    /// <summary>Name of the variable.</summary>
    [Required, MaxLength(256), RegularExpression("^[A-Za-z_][A-Za-z0-9_]*$")]
    public string Name { get; set; } = "";

    /// <summary>Value in clear; secrets belong in valueFrom.</summary>
    [MaxLength(131072)]
    public string? Value { get; set; }

    /// <summary>Where the value comes from.</summary>
    public EnvVarSource? ValueFrom { get; set; }
}

/// <summary>Where the value of a variable comes from.</summary>
[ValidationRule("has(self.secretKeyRef) != has(self.configMapKeyRef)", "valueFrom needs exactly one of secretKeyRef and configMapKeyRef")]
public sealed class EnvVarSource
{
    /// <summary>Key of a Secret.</summary>
    public KeySelector? SecretKeyRef { get; set; }

    /// <summary>Key of a ConfigMap.</summary>
    public KeySelector? ConfigMapKeyRef { get; set; }
}

/// <summary>All keys of a Secret or ConfigMap as variables.</summary>
[ValidationRule("has(self.secretRef) != has(self.configMapRef)", "an envFrom entry needs exactly one of secretRef and configMapRef")]
public sealed class EnvFromSource
{
    /// <summary>Put before every key.</summary>
    [MaxLength(256)]
    public string? Prefix { get; set; }

    /// <summary>The Secret.</summary>
    public NameReference? SecretRef { get; set; }

    /// <summary>The ConfigMap.</summary>
    public NameReference? ConfigMapRef { get; set; }
}

/// <summary>What one node of a job needs.</summary>
public sealed class Resources
{
    /// <summary>NAME or NAME:COUNT, e.g. H100:8.</summary>
    [MaxLength(68)]
    [ValidationRule($"self.matches('{V1Alpha1.Accelerators.Pattern}')", "accelerators must be NAME or NAME:COUNT, e.g. H100:8")]
    public string? Accelerators { get; set; }

    /// <summary>CPU cores, e.g. "32".</summary>
    [QuantityText]
    [JsonConverter(typeof(ScalarTextConverter))]
    public string? Cpus { get; set; }

    /// <summary>Memory, e.g. 256Gi.</summary>
    [QuantityText]
    [JsonConverter(typeof(ScalarTextConverter))]
    public string? Memory { get; set; }

    /// <summary>Size of /dev/shm, e.g. 64Gi; counts as memory.</summary>
    [QuantityText]
    [JsonConverter(typeof(ScalarTextConverter))]
    public string? SharedMemory { get; set; }

    /// <summary>Extended resources by name, e.g. rdma/hca: "8".</summary>
    [QuantityText, MaxLength(32)]
    [JsonConverter(typeof(ScalarTextMapConverter))]
    public Dictionary<string, string>? Extended { get; set; }
}

/// <summary>How a mount relates to its storage.</summary>
public enum MountMode
{
    /// <summary>Reads and writes go to the storage.</summary>
    Mount,

    /// <summary>Writes go to a local disk at its speed and on to the storage behind.</summary>
    MountCached,

    /// <summary>A copy taken before the start.</summary>
    Copy,
}

/// <summary>A storage at a path.</summary>
[ValidationRule("has(self.storage) != has(self.source)", "a mount needs exactly one of storage (a Storage by name) and source (s3://bucket/prefix)")]
public sealed class StorageMount
{
    /// <summary>Absolute path in the container.</summary>
    [Required, MaxLength(512)]
    [ValidationRule("self.startsWith('/') && !self.contains('..') && !self.contains(':')", "a mount path must be absolute and without '..' and ':', e.g. /checkpoints")]
    public string Path { get; set; } = "";

    /// <summary>Name of a Storage in the namespace.</summary>
    [MaxLength(253)]
    public string? Storage { get; set; }

    /// <summary>A bucket straight: s3://bucket/prefix.</summary>
    [MaxLength(1024), RegularExpression("^s3://[^/]+(/.*)?$")]
    public string? Source { get; set; }

    /// <summary>Mount when absent.</summary>
    public MountMode? Mode { get; set; }

    /// <summary>True: writes are refused.</summary>
    public bool? ReadOnly { get; set; }

    /// <summary>Sub-directory of the storage, without a leading slash.</summary>
    [MaxLength(512)]
    [ValidationRule("!self.startsWith('/') && !self.contains('..')", "subPath must be relative and without '..'")]
    public string? SubPath { get; set; }
}
