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

    private const int Tries = 10;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
    private static readonly string[] WeightsFields = ["desiredVersion", "servingVersion", "phase", "epoch", "term", "worldSize", "updatedReplicas", "histogram", "lastUpdate"];

    // Of the service as the last write left it: a write on top of anything else is refused, and looked at again. Writes come one by one.
    private string? _seen;

    /// <inheritdoc/>
    public async Task<BoardState> TakeAsync(CancellationToken ct)
    {
        for (var tries = 0; tries < Tries; tries++)
        {
            var left = await SeeAsync(ct) ?? new BoardState(new WeightsStatus(), []);
            left.Weights.Term = (left.Weights.Term ?? 0) + 1;
            if (await PatchedAsync(new JsonObject { ["status"] = new JsonObject { ["weights"] = new JsonObject { ["term"] = left.Weights.Term } } }, ct)) return left;
        }

        throw new BoardException("the service changes all the time");
    }

    /// <inheritdoc/>
    public async Task<BoardState?> ReadAsync(CancellationToken ct)
    {
        var found = await OrBoardAsync(() => api.FindAsync<InferenceService>(service, ct));
        return StateOf(found);
    }

    /// <inheritdoc/>
    public async Task WriteAsync(BoardState state, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(state);
        for (var tries = 0; tries < Tries; tries++)
        {
            if (_seen is not null && await PatchedAsync(StatusPatch(state), ct)) return;
            var there = await SeeAsync(ct);
            if (there?.Weights.Term > (state.Weights.Term ?? 0)) throw new TakenOverException(there.Weights.Term.Value);
        }

        throw new BoardException("the service changes all the time");
    }

    private static BoardState? StateOf(InferenceService? found) =>
        found?.Status is { Weights: { } weights } status ? new BoardState(weights, status.ReplicaStatuses ?? []) : null;

    private async Task<BoardState?> SeeAsync(CancellationToken ct)
    {
        var found = await OrBoardAsync(() => api.FindAsync<InferenceService>(service, ct));
        _seen = found?.Metadata.ResourceVersion;
        return StateOf(found);
    }

    /// <summary>False when the service has changed since it was seen.</summary>
    private async Task<bool> PatchedAsync(JsonObject body, CancellationToken ct)
    {
        if (_seen is { } version) body["metadata"] = new JsonObject { ["resourceVersion"] = version };
        var patch = new Patch(PatchKind.Merge, body) { Subresource = "status", FieldManager = FieldManager };
        try
        {
            _seen = (await OrBoardAsync(() => api.PatchAsync<InferenceService>(service, patch, ct))).Metadata.ResourceVersion;
            return true;
        }
        catch (BoardException error) when (error.InnerException is KubeApiException { StatusCode: HttpStatusCode.Conflict })
        {
            _seen = null;
            return false;
        }
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
