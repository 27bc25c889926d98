using System.Text.Json.Nodes;

namespace Trestle.Testing.Engine;

/// <summary>An API server, with services and leader pods as the operator would make them. No node runs them: a test says what they are.</summary>
public sealed class GatewayPlane : IAsyncDisposable
{
    private const string Services = "apis/trestle.dev/v1alpha1/namespaces/default/inferenceservices";

    private GatewayPlane(LocalPlane plane) => Plane = plane;

    public LocalPlane Plane { get; }

    public static async Task<GatewayPlane> StartAsync() => new(await LocalPlane.StartAsync(nodes: 1, withOperator: false));

    public ValueTask DisposeAsync() => Plane.DisposeAsync();

    public Task ServiceAsync(string name, int replicas) => Plane.Http.CreateAsync(Services, new JsonObject
    {
        ["apiVersion"] = "trestle.dev/v1alpha1",
        ["kind"] = "InferenceService",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject
        {
            ["model"] = new JsonObject { ["uri"] = "hf://example/policy", ["servedName"] = "policy" },
            ["replicas"] = replicas,
            ["weights"] = new JsonObject { ["source"] = new JsonObject { ["type"] = "Trainer", ["trainerTask"] = "trainer" } },
        },
    });

    public async Task PodAsync(string service, int ordinal, string address)
    {
        await Plane.Http.CreateAsync(ApiCalls.Pods, new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{service}-{ordinal}-0",
                ["labels"] = new JsonObject
                {
                    ["trestle.dev/service"] = service,
                    ["trestle.dev/replica"] = $"{ordinal}",
                    ["trestle.dev/rank"] = "0",
                    ["app.kubernetes.io/component"] = "replica",
                },
            },
            ["spec"] = new JsonObject
            {
                ["schedulingGates"] = new JsonArray(new JsonObject { ["name"] = "example.com/never" }),
                ["readinessGates"] = new JsonArray(new JsonObject { ["conditionType"] = "trestle.dev/weights-current" }),
                ["containers"] = new JsonArray(new JsonObject { ["name"] = "engine", ["image"] = "engine" }),
            },
        });
        await StatusAsync(service, ordinal, address, restarts: 0);
    }

    public Task StatusAsync(string service, int ordinal, string address, int restarts) => Plane.Http.MergeAsync($"{ApiCalls.Pods}/{service}-{ordinal}-0/status", new JsonObject
    {
        ["status"] = new JsonObject
        {
            ["phase"] = "Running",
            ["podIP"] = address,
            ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = address }),
            ["containerStatuses"] = new JsonArray(new JsonObject { ["name"] = "engine", ["image"] = "engine", ["imageID"] = "engine", ["ready"] = true, ["restartCount"] = restarts }),
        },
    }.ToJsonString());

    public async Task<JsonNode?> WeightsAsync(string service) => (await Plane.GetAsync($"{Services}/{service}"))?["status"]?["weights"];

    public async Task<bool> GateIsAsync(string service, int ordinal, string status) =>
        (await Plane.GetAsync($"{ApiCalls.Pods}/{service}-{ordinal}-0"))!["status"]?["conditions"]?.AsArray()
            .Any(condition => (string?)condition!["type"] == "trestle.dev/weights-current" && (string?)condition["status"] == status) == true;
}
