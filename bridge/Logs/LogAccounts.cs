using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using k8s.Models;
using Trestle.Api.Launch;
using Trestle.Api.Schema;
using Trestle.Runtime;

namespace Trestle.Bridge.Logs;

/// <summary>
/// Sees to it that every namespace with Slurm jobs has the account whose tokens read their logs, with the place of the logs on it. Who may
/// have a token of it is for the cluster's own rules to say; the account itself may do nothing.
/// </summary>
/// <param name="api">The server.</param>
/// <param name="logsAt">Where readers find the logs.</param>
/// <param name="time">The clock.</param>
[EntityRbac("", "serviceaccounts", "get,create,patch")]
internal sealed class LogAccounts(IKubeApi api, string logsAt, TimeProvider time) : IReconciler
{
    private static readonly TimeSpan Freshness = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, long> _seen = [];

    /// <summary>The account of a namespace.</summary>
    public static ObjectKey KeyOf(string ns) => new(ns, Names.LogAccount);

    /// <inheritdoc/>
    public async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken ct)
    {
        if (_seen.TryGetValue(key.Namespace, out var at) && time.GetElapsedTime(at) < Freshness) return null;
        try
        {
            var account = await api.FindAsync<V1ServiceAccount>(key, ct);
            if (account is null) await api.CreateAsync(New(key.Namespace), ct);
            else if (account.Metadata.Annotations?.TryGetValue(Annotations.LogsAt, out var said) != true || said != logsAt) await api.PatchAsync<V1ServiceAccount>(key, Place(), ct);
        }
        catch (KubeApiException error) when (error.IsAlreadyExists || error.IsNotFound)
        {
            // Another replica was first, or the namespace is going.
        }

        _seen[key.Namespace] = time.GetTimestamp();
        return null;
    }

    private V1ServiceAccount New(string ns) => new()
    {
        ApiVersion = "v1",
        Kind = "ServiceAccount",
        Metadata = new V1ObjectMeta
        {
            Name = Names.LogAccount,
            NamespaceProperty = ns,
            Labels = new Dictionary<string, string> { [Labels.ManagedBy] = Labels.ManagedByValue },
            Annotations = new Dictionary<string, string> { [Annotations.LogsAt] = logsAt },
        },
        AutomountServiceAccountToken = false,
    };

    private Patch Place() => new(PatchKind.Merge, new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Annotations.LogsAt] = logsAt } } });
}
