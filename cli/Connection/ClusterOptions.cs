using System.CommandLine;

namespace Trestle.Cli.Connection;

/// <summary>Which cluster and namespace, as kubectl takes it.</summary>
internal sealed record ClusterTarget(string? Kubeconfig = null, string? Context = null, string? Namespace = null);

/// <summary>--kubeconfig, --context, --namespace, and --all-namespaces where it makes sense.</summary>
internal sealed class ClusterOptions
{
    private readonly Option<string?> _kubeconfig = new("--kubeconfig") { Description = "kubeconfig file; KUBECONFIG or ~/.kube/config when left out" };
    private readonly Option<string?> _context = new("--context") { Description = "context of the kubeconfig" };
    private readonly Option<string?> _namespace = new("--namespace", "-n") { Description = "namespace; the context's when left out" };
    private readonly Option<bool> _allNamespaces = new("--all-namespaces", "-A") { Description = "of all namespaces" };

    public bool OffersAllNamespaces { get; init; }

    public void AddTo(Command command)
    {
        command.Add(_namespace);
        if (OffersAllNamespaces)
        {
            command.Add(_allNamespaces);
        }

        command.Add(_kubeconfig);
        command.Add(_context);
    }

    public bool AllNamespaces(ParseResult parsed) => OffersAllNamespaces && parsed.GetValue(_allNamespaces);

    public Cluster Connect(ParseResult parsed, CliHost host) => Cluster.Connect(
        new ClusterTarget(parsed.GetValue(_kubeconfig), parsed.GetValue(_context), parsed.GetValue(_namespace)), host);
}
