using k8s;
using k8s.Models;
using Trestle.Api.Schema;
using Trestle.Runtime;

namespace Trestle.Operator.Scheduling.Modes.Kueue;

/// <summary>What the operator reads of a Workload; never written back.</summary>
[KubernetesEntity(Group = KueueApi.Group, ApiVersion = KueueApi.Version, Kind = "Workload", PluralName = "workloads")]
[EntityRbac(KueueApi.Group, "workloads", "get,list,watch,create,patch,delete")]
[EntityRbac(KueueApi.Group, "workloads/status", "patch")]
public sealed class KueueWorkloadView : IKubernetesObject<V1ObjectMeta>
{
    /// <inheritdoc/>
    public string ApiVersion { get; set; } = KueueApi.ApiVersion;

    /// <inheritdoc/>
    public string Kind { get; set; } = "Workload";

    /// <inheritdoc/>
    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary>What was asked for.</summary>
    public KueueWorkloadSpecView Spec { get; set; } = new();

    /// <summary>What Kueue made of it.</summary>
    public KueueWorkloadStatusView? Status { get; set; }

    internal bool IsActive => Spec.Active != false;

    internal bool IsEvicted => Holds(KueueApi.Evicted);

    /// <summary>It holds quota, rightly or not.</summary>
    internal bool HasQuota => Status?.Admission is not null || Holds(KueueApi.QuotaReserved);

    /// <summary>Its pods may be there.</summary>
    internal bool IsAdmitted => Status?.Admission is not null && Holds(KueueApi.Admitted) && !IsEvicted;

    internal bool Holds(string condition) => Conditions.IsTrue(Status?.Conditions, condition);

    internal V1Condition? Find(string condition) => Status?.Conditions?.Find(known => known.Type == condition);
}

/// <summary>What was asked of Kueue.</summary>
public sealed class KueueWorkloadSpecView
{
    /// <summary>True when absent.</summary>
    public bool? Active { get; set; }

    /// <summary>Higher goes first.</summary>
    public int? Priority { get; set; }
}

/// <summary>What Kueue made of a Workload.</summary>
public sealed class KueueWorkloadStatusView
{
    /// <summary>What it was given; null while it waits.</summary>
    public KueueAdmission? Admission { get; set; }

    /// <summary>E.g. QuotaReserved, Admitted, Evicted.</summary>
    public List<V1Condition>? Conditions { get; set; }

    /// <summary>What else had to agree.</summary>
    public List<KueueAdmissionCheck>? AdmissionChecks { get; set; }
}

/// <summary>What a Workload was given.</summary>
public sealed class KueueAdmission
{
    /// <summary>Whose quota it is.</summary>
    public string? ClusterQueue { get; set; }

    /// <summary>By set of pods.</summary>
    public List<KueueAssignment>? PodSetAssignments { get; set; }
}

/// <summary>What a set of pods was given.</summary>
public sealed class KueueAssignment
{
    /// <summary>The set.</summary>
    public string Name { get; set; } = "";

    /// <summary>Flavor by resource.</summary>
    public Dictionary<string, string>? Flavors { get; set; }

    /// <summary>Domains of the pods; null when Kueue does not choose them.</summary>
    public KueueTopologyAssignment? TopologyAssignment { get; set; }
}

/// <summary>Domains of pods, which Kueue puts on them itself.</summary>
public sealed class KueueTopologyAssignment
{
    /// <summary>Labels of nodes.</summary>
    public List<string>? Levels { get; set; }
}

/// <summary>The answer of something that had to agree to an admission.</summary>
public sealed class KueueAdmissionCheck
{
    /// <summary>Its name.</summary>
    public string Name { get; set; } = "";

    /// <summary>Pending, Ready, Retry or Rejected.</summary>
    public string State { get; set; } = "";

    /// <summary>Why.</summary>
    public string? Message { get; set; }

    /// <summary>What it wants of the pods.</summary>
    public List<KueuePodSetUpdate>? PodSetUpdates { get; set; }
}

/// <summary>What a check wants of a set of pods.</summary>
public sealed class KueuePodSetUpdate
{
    /// <summary>The set.</summary>
    public string Name { get; set; } = "";

    /// <summary>Labels to add.</summary>
    public Dictionary<string, string>? Labels { get; set; }

    /// <summary>Annotations to add.</summary>
    public Dictionary<string, string>? Annotations { get; set; }

    /// <summary>Labels that the nodes must have.</summary>
    public Dictionary<string, string>? NodeSelector { get; set; }

    /// <summary>Taints that the pods stand.</summary>
    public List<V1Toleration>? Tolerations { get; set; }
}
