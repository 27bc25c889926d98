using k8s.Models;
using Trestle.Local.Nodes.Network;
using Trestle.Local.Nodes.Pods;

namespace Trestle.Local.Nodes.Agent;

/// <summary>Keeps the hosts files of all running pods as the cluster's names are now.</summary>
internal sealed class HostsBoard(PodFleet fleet, IClusterView view)
{
    private readonly Dictionary<string, string> _written = [];

    /// <summary>Writes every file that has changed.</summary>
    public void Refresh()
    {
        var pods = view.Pods.Select(Address).OfType<PodAddress>().ToList();
        var services = view.Services.Select(Address).ToList();
        var seen = new HashSet<string>();
        foreach (var worker in fleet.Workers)
        {
            var pod = worker.Pod;
            var text = HostsFile.Render(pod.Metadata.NamespaceProperty, worker.Address, PodHostName.Of(pod), pods, services) + Aliases(pod);
            seen.Add(worker.HostsPath);
            if (_written.GetValueOrDefault(worker.HostsPath) == text || !worker.WriteHosts(text)) continue;
            _written[worker.HostsPath] = text;
        }

        foreach (var gone in _written.Keys.Where(k => !seen.Contains(k)).ToList()) _written.Remove(gone);
    }

    private static string Aliases(V1Pod pod) => string.Concat((pod.Spec.HostAliases ?? []).Select(a => $"{a.Ip}\t{string.Join(' ', a.Hostnames ?? [])}\n"));

    private PodAddress? Address(V1Pod pod)
    {
        if (pod.Metadata.DeletionTimestamp is not null || pod.Status?.Phase is "Succeeded" or "Failed") return null;
        if ((fleet.AddressOf(pod.Metadata.Uid) ?? pod.Status?.PodIP) is not { } address) return null;
        var ready = pod.Status?.Conditions?.Any(c => c.Type == "Ready" && c.Status == "True") == true;
        return new PodAddress(pod.Metadata.NamespaceProperty, pod.Metadata.Name, address, PodHostName.Of(pod), pod.Spec.Subdomain, Copy(pod.Metadata.Labels), ready);
    }

    private static ServiceAddress Address(V1Service service) => new(
        service.Metadata.NamespaceProperty, service.Metadata.Name, service.Spec.ClusterIP == "None", service.Spec.PublishNotReadyAddresses == true, Copy(service.Spec.Selector));

    private static Dictionary<string, string> Copy(IDictionary<string, string>? map) => map is null ? [] : new Dictionary<string, string>(map);
}
