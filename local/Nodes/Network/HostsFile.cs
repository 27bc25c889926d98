using System.Text;

namespace Trestle.Local.Nodes.Network;

/// <summary>A pod as others find it by name.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Address">Its loopback address.</param>
/// <param name="HostName">Its host name.</param>
/// <param name="Subdomain">The headless service that gives it a full name, or null.</param>
/// <param name="Labels">Its labels, for service selectors.</param>
/// <param name="Ready">Whether it is ready.</param>
public sealed record PodAddress(string Namespace, string Name, string Address, string HostName, string? Subdomain, IReadOnlyDictionary<string, string> Labels, bool Ready);

/// <summary>A service as pods find it by name.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Headless">Whether it names every pod instead of one address.</param>
/// <param name="PublishNotReady">Whether pods count before they are ready.</param>
/// <param name="Selector">Labels of its pods; empty selects none.</param>
public sealed record ServiceAddress(string Namespace, string Name, bool Headless, bool PublishNotReady, IReadOnlyDictionary<string, string> Selector);

/// <summary>Writes the hosts file that stands in for cluster DNS. Pure but for <see cref="Update"/>.</summary>
public static class HostsFile
{
    private const string Domain = "cluster.local";

    /// <summary>Text of the hosts file as a pod of <paramref name="ns"/> sees it. Pods must be live ones.</summary>
    public static string Render(string ns, string ownAddress, string ownHostName, IReadOnlyCollection<PodAddress> pods, IReadOnlyCollection<ServiceAddress> services)
    {
        var text = new StringBuilder("# Written by the node agent as pods come and go.\n127.0.0.1\tlocalhost kubernetes.default.svc kubernetes.default kubernetes\n::1\tlocalhost ip6-localhost ip6-loopback\n");
        var own = pods.FirstOrDefault(p => p.Address == ownAddress && p.HostName == ownHostName);
        Line(text, ownAddress, [.. own is null ? [] : PodNames(own, ns), ownHostName]);
        foreach (var pod in pods.Where(p => p.Namespace == ns && p != own).OrderBy(p => p.Name, StringComparer.Ordinal)) Line(text, pod.Address, PodNames(pod, ns));
        foreach (var service in services.OrderBy(s => s.Namespace, StringComparer.Ordinal).ThenBy(s => s.Name, StringComparer.Ordinal))
        {
            foreach (var pod in Behind(service, pods)) Line(text, pod.Address, Names(service.Name, service.Namespace, ns));
        }

        return text.ToString();
    }

    /// <summary>Pods a service's name leads to: all of them when headless, else the first ready one.</summary>
    public static IEnumerable<PodAddress> Behind(ServiceAddress service, IEnumerable<PodAddress> pods)
    {
        if (service.Selector.Count == 0) return [];
        var chosen = pods
            .Where(p => p.Namespace == service.Namespace && (p.Ready || service.PublishNotReady) && service.Selector.All(s => p.Labels.TryGetValue(s.Key, out var v) && v == s.Value))
            .OrderBy(p => p.Name, StringComparer.Ordinal);
        return service.Headless ? chosen : chosen.Take(1);
    }

    /// <summary>Replaces the text in place, as the file is bound into a running sandbox; a reader sees no empty file meanwhile.</summary>
    public static void Update(string path, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        using var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        RandomAccess.Write(file, bytes, 0);
        if (RandomAccess.GetLength(file) > bytes.Length) RandomAccess.SetLength(file, bytes.Length);
    }

    private static IEnumerable<string> PodNames(PodAddress pod, string ns)
    {
        if (pod.Subdomain is { Length: > 0 } subdomain)
        {
            foreach (var name in Names(pod.HostName + "." + subdomain, pod.Namespace, ns)) yield return name;
        }

        if (pod.Namespace == ns) yield return pod.HostName;
    }

    private static IEnumerable<string> Names(string name, string itsNamespace, string ns)
    {
        if (itsNamespace == ns) yield return name;
        yield return $"{name}.{itsNamespace}";
        yield return $"{name}.{itsNamespace}.svc";
        yield return $"{name}.{itsNamespace}.svc.{Domain}";
    }

    private static void Line(StringBuilder text, string address, IEnumerable<string> names) => text.Append(address).Append('\t').AppendJoin(' ', names.Distinct()).Append('\n');
}
