using System.Text.Json.Nodes;
using Trestle.Api.Launch;
using Trestle.Api.V1Alpha1;

namespace Trestle.Local.Plane.Slurm;

/// <summary>An attachment → the SlurmCluster, and the Secrets that it names. Pure but for the files of the keys.</summary>
internal static class SlurmClusterObjects
{
    private const string KeyEntry = "ssh-privatekey";
    private const string HostsEntry = "known_hosts";

    /// <summary>Path and object of each, in the order of applying.</summary>
    /// <exception cref="PlaneException">A file can't be read.</exception>
    public static IEnumerable<(string Path, JsonObject Object)> Of(SlurmAttachment attachment)
    {
        if (attachment.KeyFile is { } key) yield return Secret($"slurm-{attachment.Name}-key", KeyEntry, key);
        if (attachment.KnownHostsFile is { } hosts) yield return Secret($"slurm-{attachment.Name}-hosts", HostsEntry, hosts);
        yield return ($"/apis/{ApiGroup.ApiVersion}/slurmclusters/{attachment.Name}", Cluster(attachment));
    }

    private static (string Path, JsonObject Object) Secret(string name, string entry, string file)
    {
        var secret = Object("v1", "Secret", name);
        secret["metadata"]!["namespace"] = Names.SystemNamespace;
        secret["data"] = new JsonObject { [entry] = Convert.ToBase64String(Content(file, entry == KeyEntry ? "key" : "known-hosts")) };
        return ($"/api/v1/namespaces/{Names.SystemNamespace}/secrets/{name}", secret);
    }

    private static byte[] Content(string file, string option)
    {
        try
        {
            return File.ReadAllBytes(file) is { Length: > 0 } content ? content : throw new PlaneException($"{file} is empty; give another file with --slurm …?{option}=FILE");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new PlaneException($"{file} can't be read ({error.Message.TrimEnd('.')}); give a readable file with --slurm …?{option}=FILE");
        }
    }

    private static JsonObject Cluster(SlurmAttachment attachment)
    {
        var ssh = new JsonObject { ["host"] = attachment.Host ?? "localhost", ["port"] = attachment.Port };
        if (attachment.JumpHosts.Count > 0) ssh["jumpHosts"] = List(attachment.JumpHosts);
        if (attachment.Host is not null) ssh["knownHostsSecretRef"] = new JsonObject { ["name"] = $"slurm-{attachment.Name}-hosts" };
        var spec = new JsonObject
        {
            ["ssh"] = ssh,
            ["users"] = new JsonArray(new JsonObject
            {
                ["namespaces"] = List(attachment.Namespaces),
                ["user"] = attachment.User,
                ["keySecretRef"] = new JsonObject { ["name"] = $"slurm-{attachment.Name}-key" },
            }),
        };
        var defaults = new JsonObject();
        if (attachment.Partition is { } partition) defaults["partition"] = partition;
        if (attachment.Account is { } account) defaults["account"] = account;
        if (attachment.Qos is { } qos) defaults["qos"] = qos;
        if (defaults.Count > 0) spec["defaults"] = defaults;
        if (attachment.WorkRoot is { } root) spec["workRoot"] = root;
        if (attachment.Poll is { } poll) spec["poll"] = new JsonObject { ["interval"] = poll };
        var cluster = Object(ApiGroup.ApiVersion, SlurmCluster.KubeKind, attachment.Name);
        cluster["spec"] = spec;
        return cluster;
    }

    private static JsonObject Object(string version, string kind, string name) => new() { ["apiVersion"] = version, ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = name } };

    private static JsonArray List(IEnumerable<string> items) => new([.. items.Select(item => (JsonNode)item)]);
}
