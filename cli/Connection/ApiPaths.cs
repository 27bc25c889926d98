using k8s;
using k8s.Models;
using Trestle.Api.V1Alpha1;

namespace Trestle.Cli.Connection;

/// <summary>URL paths of objects; names are escaped, since they come from the command line.</summary>
internal static class ApiPaths
{
    /// <param name="plural">Of one of our kinds.</param>
    /// <param name="ns">Null: of all namespaces.</param>
    public static string Collection(string plural, string? ns) =>
        $"/apis/{ApiGroup.ApiVersion}{(ns is null ? "" : $"/namespaces/{Escape(ns)}")}/{plural}";

    public static string Object(string plural, string ns, string name) => $"{Collection(plural, ns)}/{Escape(name)}";

    public static string Core(string plural, string ns, string? name = null) =>
        $"/api/v1/namespaces/{Escape(ns)}/{plural}{(name is null ? "" : "/" + Escape(name))}";

    public static string Collection(IKubernetesObject<V1ObjectMeta> item) => item switch
    {
        TrainingJob => Collection(TrainingJob.KubePlural, item.Metadata.NamespaceProperty),
        JobGroup => Collection(JobGroup.KubePlural, item.Metadata.NamespaceProperty),
        Storage => Collection(Storage.KubePlural, item.Metadata.NamespaceProperty),
        InferenceService => Collection(InferenceService.KubePlural, item.Metadata.NamespaceProperty),
        SlurmCluster => Collection(SlurmCluster.KubePlural, null),
        V1Secret => Core("secrets", item.Metadata.NamespaceProperty),
        V1ConfigMap => Core("configmaps", item.Metadata.NamespaceProperty),
        _ => throw new CliException($"objects of kind {item.Kind} can't be launched; create it with: kubectl apply -f"),
    };

    public static string Object(IKubernetesObject<V1ObjectMeta> item) => $"{Collection(item)}/{Escape(item.Metadata.Name)}";

    /// <summary>Where tokens of a service account are made.</summary>
    public static string Tokens(string ns, string account) => $"{Core("serviceaccounts", ns, account)}/token";

    private static string Escape(string name) =>
        name is "" or "." or ".." ? throw CliException.Usage($"'{name}' is no name of an object") : Uri.EscapeDataString(name);
}
