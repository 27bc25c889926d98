using System.Text.Json.Nodes;
using Trestle.Api.Launch;
using Trestle.Operator.Views;
using Trestle.Runtime;

namespace Trestle.Operator;

/// <summary>
/// The label by which the Service of the rendezvous finds the leader among the operator's pods: a stand-by does not listen, and a
/// rank that is sent there would ask again and again.
/// </summary>
/// <param name="api">The server.</param>
/// <param name="pod">The pod this process runs in; null: it runs in none, and nothing is done.</param>
internal sealed class LeaderMark(IKubeApi api, ObjectKey? pod)
{
    /// <summary>Marks the pod.</summary>
    public Task SetAsync(CancellationToken ct) => WriteAsync("true", ct);

    /// <summary>Takes the mark away; also one that an earlier process of the pod left when it was killed.</summary>
    public Task RemoveAsync(CancellationToken ct) => WriteAsync(null, ct);

    private async Task WriteAsync(string? value, CancellationToken ct)
    {
        if (pod is not { } own) return;
        var body = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [Labels.Leader] = value } } };
        await api.PatchAsync<PodView>(own, new Patch(PatchKind.Merge, body), ct);
    }
}
