using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Trestle.Api.Launch;

/// <summary>The environment of one rank, in the order of the contract. Pure.</summary>
public static class LaunchEnvironment
{
    /// <summary>First of the ports that rank 0 may be told to listen on.</summary>
    public const int FirstHeadPort = 20000;

    /// <summary>How many ports there are from <see cref="FirstHeadPort"/>.</summary>
    public const int HeadPorts = 10000;

    /// <summary>Names that hold the rank.</summary>
    public static IReadOnlyList<string> RankNames { get; } = [Variables.NodeRank, "SKYPILOT_NODE_RANK", "SKYPILOT_SETUP_NODE_RANK", "PET_NODE_RANK", "NODE_RANK"];

    /// <summary>Names that hold the addresses of all ranks, one a line.</summary>
    public static IReadOnlyList<string> AddressesNames { get; } = [Variables.NodeIps, "SKYPILOT_NODE_IPS", "SKYPILOT_SETUP_NODE_IPS"];

    /// <summary>Names that hold the address of rank 0.</summary>
    public static IReadOnlyList<string> HeadNames { get; } = [Variables.HeadAddress, "MASTER_ADDR", "PET_MASTER_ADDR"];

    /// <summary>The variables that are the same for all ranks and known before any has an address: all but those of the names above and <see cref="Variables.NodeIp"/>.</summary>
    /// <param name="facts">The facts, with an address of any text for each rank.</param>
    public static IReadOnlyList<KeyValuePair<string, string>> BuildShared(LaunchFacts facts) =>
        [.. Build(facts, 0).Where(variable => variable.Key != Variables.NodeIp && !RankNames.Contains(variable.Key) && !AddressesNames.Contains(variable.Key) && !HeadNames.Contains(variable.Key))];

    /// <summary>The variables of one rank.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Build(LaunchFacts facts, int rank)
    {
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, facts.Addresses.Count);
        var variables = new List<KeyValuePair<string, string>>();
        AddRanks(variables, facts, rank);
        AddHead(variables, facts);
        AddIdentity(variables, facts);
        foreach (var service in facts.Services)
        {
            AddService(variables, service);
        }

        return variables;
    }

    /// <summary>POSIX export lines, one a variable; values may hold anything but NUL.</summary>
    public static string Render(IEnumerable<KeyValuePair<string, string>> variables)
    {
        ArgumentNullException.ThrowIfNull(variables);
        var text = new StringBuilder();
        foreach (var (name, value) in variables)
        {
            text.Append("export ").Append(name).Append("='").Append(value.Replace("'", @"'\''", StringComparison.Ordinal)).Append("'\n");
        }

        return text.ToString();
    }

    /// <summary>The port of an attempt: another one for the next attempt, so that nobody meets a rank of the last.</summary>
    public static int HeadPort(string uid, int attempt)
    {
        ArgumentNullException.ThrowIfNull(uid);
        var hash = 2166136261u;
        foreach (var letter in uid)
        {
            hash = (hash ^ letter) * 16777619u;
        }

        return FirstHeadPort + (int)((hash + ((uint)attempt * 7919u)) % HeadPorts);
    }

    /// <summary>Stable across attempts, unique among jobs.</summary>
    public static string TaskId(LaunchFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        return $"trestle-{facts.Namespace}-{facts.Name}-{facts.Uid}";
    }

    private static void AddRanks(List<KeyValuePair<string, string>> variables, LaunchFacts facts, int rank)
    {
        var ips = string.Join('\n', facts.Addresses);
        Add(variables, Text(rank), [.. RankNames]);
        Add(variables, ips, [.. AddressesNames]);
        Add(variables, facts.Addresses[rank], Variables.NodeIp);
        Add(variables, Text(facts.Addresses.Count), Variables.NumNodes, "SKYPILOT_NUM_NODES", "PET_NNODES", "NNODES");
        Add(variables, Text(facts.GpusPerNode), Variables.NumGpusPerNode, "SKYPILOT_NUM_GPUS_PER_NODE");
        if (facts.GpusPerNode > 0)
        {
            Add(variables, Text(facts.GpusPerNode), "PET_NPROC_PER_NODE");
        }
    }

    private static void AddHead(List<KeyValuePair<string, string>> variables, LaunchFacts facts)
    {
        Add(variables, facts.Addresses[0], [.. HeadNames]);
        Add(variables, Text(facts.HeadPort), Variables.HeadPort, "MASTER_PORT", "PET_MASTER_PORT");
        // A rank of an old attempt must not meet the new one.
        Add(variables, $"{facts.Uid}-{Text(facts.Attempt)}", "PET_RDZV_ID");
    }

    private static void AddIdentity(List<KeyValuePair<string, string>> variables, LaunchFacts facts)
    {
        Add(variables, TaskId(facts), Variables.TaskId, "SKYPILOT_TASK_ID");
        Add(variables, Text(facts.Attempt), Variables.Attempt);
        Add(variables, ClusterInfo(facts), "SKYPILOT_CLUSTER_INFO");
        Add(variables, Text(facts.TaskIndex), "SKYPILOT_JOB_RANK");
        Add(variables, Text(facts.TaskCount), "SKYPILOT_NUM_JOBS");
        if (facts.Group is { } group)
        {
            Add(variables, group, Variables.JobGroup, "SKYPILOT_JOBGROUP_NAME");
        }

        if (facts.Task is { } task)
        {
            Add(variables, task, Variables.Task);
        }

        if (facts.CheckpointDirectory is { } directory)
        {
            Add(variables, directory, Variables.CheckpointDirectory);
        }

        if (facts.HeartbeatFile is { } heartbeat)
        {
            Add(variables, heartbeat, Variables.HeartbeatFile);
        }
    }

    private static void AddService(List<KeyValuePair<string, string>> variables, ServiceFacts service)
    {
        Add(variables, service.Url, Variables.ServiceUrl(service.Task));
        if (service.WeightsUrl is { } weights)
        {
            Add(variables, weights, Variables.ServiceWeightsUrl(service.Task));
        }

        Add(variables, service.Model, Variables.ServiceModel(service.Task));
        Add(variables, Text(service.Replicas), Variables.ServiceReplicas(service.Task));
        if (service.EndpointsFile is { } file)
        {
            Add(variables, file, Variables.ServiceEndpoints(service.Task));
        }
    }

    private static string ClusterInfo(LaunchFacts facts)
    {
        var info = new JsonObject
        {
            ["cluster_name"] = facts.Name,
            ["cloud"] = facts.Backend.Split('/')[0],
            ["region"] = facts.Backend.Contains('/', StringComparison.Ordinal) ? facts.Backend[(facts.Backend.IndexOf('/', StringComparison.Ordinal) + 1)..] : null,
            ["zone"] = null,
        };
        return info.ToJsonString();
    }

    private static void Add(List<KeyValuePair<string, string>> variables, string value, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            variables.Add(KeyValuePair.Create(name, value));
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
