using System.Text;
using YamlDotNet.RepresentationModel;

namespace Trestle.Local.ApiServer;

/// <summary>The admin's kubeconfig, <c>STATE/kubeconfig</c>, readable by its owner only.</summary>
internal static class Kubeconfig
{
    public static string Write(string stateDirectory, Uri server, string caPem, string token)
    {
        var path = Path.Combine(stateDirectory, "kubeconfig");
        var text = $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: trestle-local
              cluster:
                server: {server.GetLeftPart(UriPartial.Authority)}
                certificate-authority-data: {Convert.ToBase64String(Encoding.ASCII.GetBytes(caPem))}
            users:
            - name: trestle-local
              user:
                token: {token}
            contexts:
            - name: trestle-local
              context:
                cluster: trestle-local
                user: trestle-local
                namespace: default
            current-context: trestle-local

            """;
        SecretFile.Write(path, Encoding.UTF8.GetBytes(text));
        return path;
    }

    /// <summary>The token of an earlier start, so that a restart keeps clients signed in.</summary>
    public static string? ReadToken(string? stateDirectory)
    {
        var path = stateDirectory is null ? null : Path.Combine(stateDirectory, "kubeconfig");
        if (path is null || !File.Exists(path)) return null;
        var stream = new YamlStream();
        stream.Load(new StringReader(File.ReadAllText(path)));
        return stream.Documents.Count == 0 ? null : (stream.Documents[0].RootNode["users"][0]["user"]["token"] as YamlScalarNode)?.Value;
    }
}
