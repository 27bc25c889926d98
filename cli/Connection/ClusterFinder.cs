using k8s;

namespace Trestle.Cli.Connection;

/// <summary>How to reach a cluster, and the context that says so.</summary>
internal sealed record FoundCluster(KubernetesClientConfiguration Configuration, string? Context);

/// <summary>Which cluster is meant: --kubeconfig, KUBECONFIG, the pod we are in, ~/.kube/config, the plane on this machine.</summary>
internal static class ClusterFinder
{
    private const string ServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

    public static FoundCluster Find(ClusterTarget target, CliHost host)
    {
        if (target.Kubeconfig is { } given)
        {
            return FromFile(host.FullPath(given), target.Context);
        }

        if (host.Variable("KUBECONFIG") is { } variable)
        {
            var files = variable.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(host.FullPath).ToArray();
            return files is [var only] ? FromFile(only, target.Context) : FromFiles([.. files.Where(File.Exists)], target.Context);
        }

        if (host.Variable("KUBERNETES_SERVICE_HOST") is not null && File.Exists($"{ServiceAccount}/token"))
        {
            return new FoundCluster(KubernetesClientConfiguration.InClusterConfig(), null);
        }

        var home = host.Variable("HOME") ?? "/";
        string[] places = [Path.Combine(home, ".kube", "config"), Path.Combine(host.Variable("XDG_STATE_HOME") ?? Path.Combine(home, ".local", "state"), "trestle", "kubeconfig")];
        return places.FirstOrDefault(File.Exists) is { } found
            ? FromFile(found, target.Context)
            : throw new CliException("no cluster is configured; start one on this machine with 'trestle local up', or set KUBECONFIG");
    }

    private static FoundCluster FromFile(string path, string? context) => Kubeconfig.TryRead(path, context) ?? General(path, context);

    // Of several files the first one that has the context counts; what kubectl would merge within one context is rare.
    private static FoundCluster FromFiles(string[] paths, string? context)
    {
        foreach (var path in paths)
        {
            try
            {
                return FromFile(path, context);
            }
            catch (CliException) when (path != paths[^1])
            {
                // The next one may have it.
            }
        }

        throw new CliException("no file that KUBECONFIG names exists; correct it, or start a cluster on this machine with: trestle local up");
    }

    private static FoundCluster General(string path, string? context)
    {
        try
        {
            var configuration = KubernetesClientConfiguration.BuildConfigFromConfigFile(new FileInfo(path), context);
            return new FoundCluster(configuration, configuration.CurrentContext);
        }
        catch (Exception error) when (error is k8s.Exceptions.KubeConfigException or YamlDotNet.Core.YamlException or IOException)
        {
            throw new CliException($"the kubeconfig {path} can't be used ({error.Message.TrimEnd('.')}); correct it or choose another with --kubeconfig", cause: error);
        }
    }
}
