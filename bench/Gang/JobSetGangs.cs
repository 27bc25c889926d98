using System.Text.Json.Nodes;

namespace Trestle.Bench.Gang;

/// <summary>JobSets with one replicated job: the peer, and the job controller of Kubernetes that makes its pods.</summary>
internal sealed class JobSetGangs : IGangSystem
{
    // The kernel keeps 15 letters of a program's name.
    private static readonly string[] Programs = ["jobset", "kube-controller"];

    public string AttemptLabel => "jobset.sigs.k8s.io/restart-attempt";

    public int FirstAttempt => 0;

    public string Collection => "apis/jobset.x-k8s.io/v1alpha2/namespaces/default/jobsets";

    public bool Gates => false;

    public string Pods(string round) => $"bench={round}";

    public JsonObject Gang(string name, string round, int ranks, bool gpu) => new()
    {
        ["apiVersion"] = "jobset.x-k8s.io/v1alpha2",
        ["kind"] = "JobSet",
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["bench"] = round } },
        ["spec"] = new JsonObject
        {
            ["failurePolicy"] = new JsonObject { ["maxRestarts"] = 3 },
            ["replicatedJobs"] = new JsonArray(new JsonObject
            {
                ["name"] = "w",
                ["replicas"] = 1,
                ["template"] = new JsonObject
                {
                    ["spec"] = new JsonObject { ["parallelism"] = ranks, ["completions"] = ranks, ["backoffLimit"] = 0, ["completionMode"] = "Indexed", ["template"] = Pod(round, gpu) },
                },
            }),
        },
    };

    public IReadOnlyList<int> Processes() => ProcessUsage.Named(Programs);

    private static JsonObject Pod(string round, bool gpu) => new()
    {
        ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["bench"] = round } },
        ["spec"] = new JsonObject
        {
            ["restartPolicy"] = "Never",
            ["containers"] = new JsonArray(new JsonObject
            {
                ["name"] = "main",
                ["image"] = "pause",
                ["command"] = new JsonArray("true"),
                ["resources"] = new JsonObject { ["requests"] = gpu ? new JsonObject { ["nvidia.com/gpu"] = "1" } : new JsonObject { ["cpu"] = "100m" }, ["limits"] = gpu ? new JsonObject { ["nvidia.com/gpu"] = "1" } : null },
            }),
        },
    };
}
