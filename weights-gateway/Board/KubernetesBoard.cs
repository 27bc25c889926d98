using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Runtime;
using Trestle.WeightsGateway.Replicas;

namespace Trestle.WeightsGateway.Board;

/// <summary>The service's status and its pods' conditions, by patches of the fields that are the gateway's own.</summary>
/// <param name="api">The server.</param>
/// <param name="service">The InferenceService.</param>
/// <param name="time">Clock of conditions.</param>
[EntityRbac("trestle.dev", "inferenceservices", "get,list,watch", InOwnNamespace = true)]
[EntityRbac("trestle.dev", "inferenceservices/status", "patch", InOwnNamespace = true)]
[EntityRbac("", "pods", "get,list,watch", InOwnNamespace = true)]
[EntityRbac("", "pods/status", "patch", InOwnNamespace = true)]
public sealed class KubernetesBoard(IKubeApi api, ObjectKey service, TimeProvider time) : IServiceBoard
{
    /// <summary>Field manager of the gates.</summary>
    public const string FieldManager = "trestle-weights-gateway";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
    private static readonly string[] WeightsFields = ["desiredVersion", "servingVersion", "phase", "epoch", "worldSize", "updatedReplicas", "histogram", "lastUpdate"];

    /// <inheritdoc/>
    public async Task<BoardState?> ReadAsync(CancellationToken ct)
    {
        var found = await OrBoardAsync(() => api.FindAsync<InferenceService>(service, ct));
        return found?.Status is { Weights: { } weights } status ? new BoardState(weights, status.ReplicaStatuses ?? []) : null;
    }

    /// <inheritdoc/>
    public async Task WriteAsync(BoardState state, CancellationToken ct)
    {
        var patch = new Patch(PatchKind.Merge, StatusPatch(state)) { Subresource = "status", FieldManager = FieldManager };
        await OrBoardAsync(() => api.PatchAsync<InferenceService>(service, patch, ct));
    }

    /// <inheritdoc/>
    public async Task GateAsync(Replica replica, bool open, string why, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(replica);
        var patch = new Patch(PatchKind.Apply, GatePatch(replica, open, why)) { Subresource = "status", FieldManager = FieldManager };
        try
        {
            await OrBoardAsync(() => api.PatchAsync<V1Pod>(new ObjectKey(service.Namespace, replica.Name), patch, ct));
        }
        catch (BoardException error) when (error.InnerException is KubeApiException { StatusCode: HttpStatusCode.NotFound or HttpStatusCode.Conflict })
        {
            // Another pod has its name by now; that one has a gate of its own.
        }
    }

    /// <summary>A merge patch: what is null is taken away.</summary>
    public static JsonObject StatusPatch(BoardState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var weights = JsonSerializer.SerializeToNode(state.Weights, Json)!.AsObject();
        foreach (var field in WeightsFields) weights.TryAdd(field, null);
        return new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["weights"] = weights,
                ["replicaStatuses"] = JsonSerializer.SerializeToNode(state.Replicas, Json),
                ["load"] = new JsonObject { ["waiting"] = state.Waiting, ["running"] = state.Running },
            },
        };
    }

    private JsonObject GatePatch(Replica replica, bool open, string why)
    {
        var condition = new JsonObject
        {
            ["type"] = Names.WeightsGate,
            ["status"] = open ? "True" : "False",
            ["reason"] = open ? "WeightsCurrent" : "WeightsNotCurrent",
            ["message"] = why,
            ["lastTransitionTime"] = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
        };
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = replica.Name, ["namespace"] = service.Namespace, ["uid"] = replica.Instance.Uid },
            ["status"] = new JsonObject { ["conditions"] = new JsonArray(condition) },
        };
    }

    private static async Task<T> OrBoardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception error) when (error is KubeApiException or HttpRequestException or IOException)
        {
            throw new BoardException(error.Message, error);
        }
    }
}
