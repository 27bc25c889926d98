using System.Text.Json.Nodes;
using Trestle.Testing;

namespace Trestle.Bench.Gang;

/// <summary>TrainingJobs.</summary>
internal sealed class TrestleGangs(int operatorProcess) : IGangSystem
{
    public string AttemptLabel => "trestle.dev/attempt";

    public int FirstAttempt => 1;

    public string Collection => ApiCalls.Jobs;

    public bool Gates => true;

    // The pods of a job carry no label of the user's; the watch is opened while no other job has pods.
    public string Pods(string round) => "app.kubernetes.io/managed-by=trestle";

    public JsonObject Gang(string name, string round, int ranks, bool gpu) => new()
    {
        ["apiVersion"] = "trestle.dev/v1alpha1",
        ["kind"] = "TrainingJob",
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["bench"] = round } },
        ["spec"] = new JsonObject
        {
            ["nodes"] = ranks,
            ["image"] = "pause",
            ["run"] = "true",
            ["resources"] = gpu ? new JsonObject { ["accelerators"] = "H100:1" } : new JsonObject { ["cpus"] = "100m" },
            ["recovery"] = new JsonObject { ["maxRestarts"] = 3, ["backoff"] = new JsonObject { ["initial"] = "0s", ["max"] = "0s" } },
        },
    };

    public IReadOnlyList<int> Processes() => [operatorProcess];
}
