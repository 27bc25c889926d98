using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>The kinds every server has. A row says how a kind is named; its rules and columns are elsewhere.</summary>
internal static class BuiltInResources
{
    public static IEnumerable<ResourceDefinition> All() => [.. Core(), .. Workloads(), .. Others()];

    private static IEnumerable<ResourceDefinition> Core() =>
    [
        Make("", "v1", "configmaps", "ConfigMap", "cm") with { Rules = CoreRules.ConfigMap, Columns = CoreColumns.ConfigMap },
        Make("", "v1", "endpoints", "Endpoints", "ep") with { Singular = "endpoints", ListKind = "EndpointsList", Columns = CoreColumns.Endpoints },
        Make("", "v1", "events", "Event", "ev") with { Rules = CoreRules.Event, Columns = CoreColumns.Event, SelectableFields = EventFields },
        Make("", "v1", "limitranges", "LimitRange", "limits") with { CreationWarning = Unrun("LimitRange") },
        Cluster("", "v1", "namespaces", "Namespace", "ns") with
        {
            Rules = CoreRules.Namespace, Columns = CoreColumns.Namespace, HasStatus = true,
            Verbs = ["create", "delete", "get", "list", "patch", "update", "watch"],
            SelectableFields = ResourceDefinition.Selectable("status.phase"),
            Subresources = [new("finalize", "Namespace", ["update"])],
        },
        Cluster("", "v1", "nodes", "Node", "no") with
        {
            Rules = CoreRules.Node, Columns = NodeColumns.All, HasStatus = true, SelectableFields = ResourceDefinition.Selectable("spec.unschedulable"),
            Subresources = [new("proxy", "NodeProxyOptions", ["create", "delete", "get", "patch", "update"])],
        },
        Make("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc") with { HasStatus = true, Rules = CoreRules.Claim, Columns = CoreColumns.Claim },
        Cluster("", "v1", "persistentvolumes", "PersistentVolume", "pv") with { HasStatus = true, CreationWarning = Unrun("PersistentVolume") },
        Make("", "v1", "pods", "Pod", "po") with
        {
            Categories = ["all"], HasStatus = true, HasGeneration = true, Rules = PodRules.All, Columns = PodColumns.All, SelectableFields = PodFields,
            Subresources = PodSubresources,
        },
        Make("", "v1", "podtemplates", "PodTemplate") with { HasGeneration = true },
        Make("", "v1", "replicationcontrollers", "ReplicationController", "rc") with { Categories = ["all"], HasStatus = true, HasGeneration = true, Scale = ScalePaths.Standard, CreationWarning = Unrun("ReplicationController") },
        Make("", "v1", "resourcequotas", "ResourceQuota", "quota") with { HasStatus = true, CreationWarning = Unrun("ResourceQuota") },
        Make("", "v1", "secrets", "Secret") with { Rules = CoreRules.Secret, Columns = CoreColumns.Secret, SelectableFields = ResourceDefinition.Selectable("type") },
        Make("", "v1", "serviceaccounts", "ServiceAccount", "sa") with
        {
            Rules = new KindRules { ReturnsDeleted = true }, Columns = CoreColumns.ServiceAccount,
            Subresources = [new("token", "TokenRequest", ["create"], "authentication.k8s.io", "v1")],
        },
        Make("", "v1", "services", "Service", "svc") with
        {
            Categories = ["all"], HasStatus = true, Rules = ServiceRules.All, Columns = CoreColumns.Service, SelectableFields = ResourceDefinition.Selectable("spec.clusterIP", "spec.type"),
            Subresources = [new("proxy", "ServiceProxyOptions", ["create", "delete", "get", "patch", "update"])],
        },
    ];

    private static IEnumerable<ResourceDefinition> Workloads() =>
    [
        Stored("apps", "v1", "controllerrevisions", "ControllerRevision") with { HasStatus = false },
        Stored("apps", "v1", "daemonsets", "DaemonSet", "ds"),
        Stored("apps", "v1", "deployments", "Deployment", "deploy") with { Scale = ScalePaths.Standard, Columns = WorkloadColumns.Deployment, Rules = WorkloadRules.Deployment },
        Stored("apps", "v1", "replicasets", "ReplicaSet", "rs") with { Scale = ScalePaths.Standard },
        Stored("apps", "v1", "statefulsets", "StatefulSet", "sts") with { Scale = ScalePaths.Standard, Columns = WorkloadColumns.StatefulSet, Rules = WorkloadRules.StatefulSet },
        Stored("batch", "v1", "cronjobs", "CronJob", "cj"),
        Stored("batch", "v1", "jobs", "Job") with { Columns = WorkloadColumns.Job, SelectableFields = ResourceDefinition.Selectable("status.successful") },
        Stored("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa") with { HasGeneration = false },
        Make("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb") with { HasStatus = true, HasGeneration = true, CreationWarning = Unrun("PodDisruptionBudget") },
    ];

    private static IEnumerable<ResourceDefinition> Others() =>
    [
        Make("coordination.k8s.io", "v1", "leases", "Lease") with { Columns = CoreColumns.Lease },
        Make("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice") with { HasGeneration = true },
        Make("networking.k8s.io", "v1", "ingresses", "Ingress", "ing") with { HasStatus = true, HasGeneration = true, CreationWarning = Unrun("Ingress") },
        Make("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol") with { Singular = "networkpolicy", HasGeneration = true, CreationWarning = Unrun("NetworkPolicy") },
        Make("rbac.authorization.k8s.io", "v1", "roles", "Role") with { Rules = CoreRules.PathNames, CreationWarning = Unrun("Role") },
        Make("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding") with { Rules = CoreRules.PathNames, CreationWarning = Unrun("RoleBinding") },
        Cluster("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole") with { Rules = CoreRules.PathNames, CreationWarning = Unrun("ClusterRole") },
        Cluster("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding") with { Rules = CoreRules.PathNames, CreationWarning = Unrun("ClusterRoleBinding") },
        Cluster("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", "pc") with { Singular = "priorityclass", HasGeneration = true },
        Cluster("storage.k8s.io", "v1", "storageclasses", "StorageClass", "sc") with { Singular = "storageclass" },
        Cluster("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", "crd", "crds") with
        {
            Categories = ["api-extensions"], HasStatus = true, HasGeneration = true, Rules = CrdRules.All, Columns = CoreColumns.Crd,
        },
    ];

    private static readonly IReadOnlyList<SubresourceDefinition> PodSubresources =
    [
        new("attach", "PodAttachOptions", ["create", "get"]),
        new("binding", "Binding", ["create"]),
        new("ephemeralcontainers", "Pod", ["get", "patch", "update"]),
        new("eviction", "Eviction", ["create"], "policy", "v1"),
        new("exec", "PodExecOptions", ["create", "get"]),
        new("log", "Pod", ["get"]),
        new("portforward", "PodPortForwardOptions", ["create", "get"]),
        new("proxy", "PodProxyOptions", ["create", "delete", "get", "patch", "update"]),
        new("resize", "Pod", ["get", "patch", "update"]),
    ];

    private static readonly IReadOnlySet<string> PodFields = ResourceDefinition.Selectable(
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName");

    private static readonly IReadOnlySet<string> EventFields = ResourceDefinition.Selectable(
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
        "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type");

    private static ResourceDefinition Make(string group, string version, string plural, string kind, params string[] shortNames) => new()
    {
        Group = group,
        Version = version,
        Plural = plural,
        Singular = kind.ToLowerInvariant(),
        Kind = kind,
        IsNamespaced = true,
        ShortNames = shortNames,
        Types = BuiltInSchemas.For(group, version, kind),
    };

    private static ResourceDefinition Cluster(string group, string version, string plural, string kind, params string[] shortNames) =>
        Make(group, version, plural, kind, shortNames) with { IsNamespaced = false };

    private static string Unrun(string kind) => $"this API server stores {kind} objects but nothing acts on them";

    private static ResourceDefinition Stored(string group, string version, string plural, string kind, params string[] shortNames) =>
        Make(group, version, plural, kind, shortNames) with
        {
            Categories = kind == "ControllerRevision" ? [] : ["all"],
            HasStatus = true,
            HasGeneration = true,
            CreationWarning = Unrun(kind),
        };
}
