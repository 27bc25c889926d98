using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>What a deletion was asked to honour.</summary>
internal sealed record DeleteOptions(long? GraceSeconds, string? Uid, string? ResourceVersion, string? Propagation, bool IsDryRun)
{
    public static readonly DeleteOptions Background = new(null, null, null, "Background", false);

    public static DeleteOptions Of(ApiRequest request, JsonObject body)
    {
        var preconditions = body.Object("preconditions");
        var grace = body.Integer("gracePeriodSeconds") ?? (long.TryParse(request.Query("gracePeriodSeconds"), out var seconds) ? seconds : null);
        var orphan = body.Flag("orphanDependents") || request.Query("orphanDependents") == "true";
        var propagation = body.Text("propagationPolicy") ?? request.Query("propagationPolicy") ?? (orphan ? "Orphan" : null);
        if (propagation is not (null or "Background" or "Foreground" or "Orphan"))
            throw ApiException.Invalid("meta.k8s.io", "DeleteOptions", "", [Trestle.Local.ApiMachinery.FieldError.NotSupported("propagationPolicy", propagation, ["Background", "Foreground", "Orphan"])]);
        var isDryRun = request.IsDryRun || (body.Array("dryRun")?.Any(d => d.AsText() == "All") ?? false);
        return new DeleteOptions(grace, preconditions.Text("uid"), preconditions.Text("resourceVersion"), propagation, isDryRun);
    }
}

/// <summary>Deletes: at once, or by marking an object that has finalizers or is still run by a node.</summary>
internal sealed class ObjectRemover(ObjectStore store, TimeProvider time)
{
    /// <summary>The object as it was left, and whether it is gone; throws 404 when there is none.</summary>
    public async Task<(StoredObject Object, byte[] Json, bool IsGone)> DeleteAsync(ResourceDefinition resource, string key, DeleteOptions options)
    {
        while (true)
        {
            var stored = store.Get(resource.StorageKey, key) ?? throw ApiException.NotFound(resource, key[(key.IndexOf('/') + 1)..]);
            CheckPreconditions(resource, stored, options);
            var content = stored.Parse();
            var isGone = Mark(resource, content, options);
            var unchanged = !isGone && stored.IsDeleting && JsonNode.DeepEquals(content, stored.Parse());
            if (unchanged) return (stored, stored.Json, false);
            if (options.IsDryRun) return (stored, isGone ? stored.Json : JsonBody.Serialize(content), isGone);
            var result = isGone
                ? await store.DeleteAsync(resource.StorageKey, stored, content)
                : await store.ReplaceAsync(resource.StorageKey, stored, content);
            if (result is not null) return (result, result.Json, isGone);
        }
    }

    // Changes the content into what the deletion leaves; true when nothing holds it any more.
    private bool Mark(ResourceDefinition resource, JsonObject content, DeleteOptions options)
    {
        var metadata = content.Ensure("metadata");
        AddPropagationFinalizer(metadata, options.Propagation);
        var needed = resource.Rules.GracePeriod?.Invoke(content);
        var grace = needed is null or 0 ? 0 : Math.Max(options.GraceSeconds ?? needed.Value, 0);
        var hasFinalizers = (resource.Rules.HoldDeletion?.Invoke(content) ?? false) | metadata.Array("finalizers") is { Count: > 0 };
        if (metadata["deletionTimestamp"] is null)
        {
            if (grace == 0 && !hasFinalizers)
            {
                if (resource.Rules.GracePeriod is not null) metadata["deletionGracePeriodSeconds"] = 0;
                return true;
            }

            metadata["deletionTimestamp"] = Timestamp.Of(time.GetUtcNow().AddSeconds(grace));
            metadata["deletionGracePeriodSeconds"] = grace;
            if (metadata.Integer("generation") is { } generation) metadata["generation"] = generation + 1;
            return false;
        }

        var left = metadata.Integer("deletionGracePeriodSeconds") ?? 0;
        if (grace < left)
        {
            var requested = (Timestamp.Parse(metadata.Text("deletionTimestamp")) ?? time.GetUtcNow()).AddSeconds(-left);
            metadata["deletionTimestamp"] = Timestamp.Of(requested.AddSeconds(grace));
            metadata["deletionGracePeriodSeconds"] = left = grace;
        }

        return left == 0 && !hasFinalizers;
    }

    private static void AddPropagationFinalizer(JsonObject metadata, string? propagation)
    {
        var wanted = propagation switch { "Foreground" => "foregroundDeletion", "Orphan" => "orphan", _ => null };
        var finalizers = metadata.Array("finalizers");
        if (wanted is null || (finalizers?.Any(f => f.AsText() == wanted) ?? false)) return;
        if (finalizers is null) metadata["finalizers"] = finalizers = [];
        finalizers.Add(wanted);
    }

    private static void CheckPreconditions(ResourceDefinition resource, StoredObject stored, DeleteOptions options)
    {
        if (options.Uid is { Length: > 0 } uid && uid != stored.Uid)
            throw Refuse(resource, stored, $"the UID in the precondition ({uid}) does not match the UID in record ({stored.Uid}). The object might have been deleted and then recreated");
        if (options.ResourceVersion is { Length: > 0 } version && version != stored.ResourceVersion.ToString())
            throw Refuse(resource, stored, $"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({stored.ResourceVersion}). The object might have been modified");
    }

    private static ApiException Refuse(ResourceDefinition resource, StoredObject stored, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {resource.QualifiedKind} \"{stored.Name}\": {why}", ApiException.Details(stored.Name, resource.Group, resource.Kind));
}
