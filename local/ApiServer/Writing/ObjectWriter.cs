using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>Creates and updates objects of every kind, from the outside and from the controllers alike.</summary>
internal sealed class ObjectWriter(ObjectStore store, TimeProvider time)
{
    private const int MaxAttempts = 100;

    /// <summary>Called with what was written before the client hears of it: a new custom kind is served at once.</summary>
    public Func<ResourceDefinition, StoredObject, Task>? Written { get; set; }

    public async Task<WriteResult> CreateAsync(ResourceDefinition resource, string? ns, ParsedBody body, WriteOptions options)
    {
        var content = body.Content;
        ObjectDecoder.CheckTypeMeta(resource, content);
        var metadata = PrepareMetadata(resource, ns, content);
        RequireNamespace(resource, ns, metadata.Text("name") ?? "");
        DropStatus(resource, content);
        ObjectDecoder.Decode(resource, content, null, body.Duplicates, options, time.GetUtcNow());
        Require(resource, content, [.. MetadataRules.Validate(resource, metadata)], null);
        ManagedFields.Update(null, content, resource.Types, options.FieldManager, "Update", resource.ApiVersion, options.Subresource, time.GetUtcNow());
        resource.Rules.Complete?.Invoke(content, null, time.GetUtcNow());
        if (resource.CreationWarning is { } warning) options.Warnings.Add(warning);
        return await StoreNewAsync(resource, content, options);
    }

    /// <summary>Stores an object that is complete but for what the server sets, as server-side apply leaves it.</summary>
    public async Task<WriteResult> CreateAppliedAsync(ResourceDefinition resource, string? ns, JsonObject content, WriteOptions options)
    {
        var managed = content.Object("metadata").Array("managedFields")?.DeepClone();
        var metadata = PrepareMetadata(resource, ns, content);
        RequireNamespace(resource, ns, metadata.Text("name") ?? "");
        DropStatus(resource, content);
        ObjectDecoder.Decode(resource, content, null, [], options with { Validation = FieldValidation.Ignore }, time.GetUtcNow());
        Require(resource, content, [.. MetadataRules.Validate(resource, metadata)], null);
        metadata["managedFields"] = managed;
        resource.Rules.Complete?.Invoke(content, null, time.GetUtcNow());
        return await StoreNewAsync(resource, content, options);
    }

    /// <summary>Reads, changes and writes until nobody was faster. <paramref name="change"/> gets a copy of the stored object.</summary>
    public async Task<WriteResult> ChangeAsync(ResourceDefinition resource, string key, Func<StoredObject, JsonObject, (JsonObject Next, bool IsTracked)> change, WriteOptions options)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var stored = store.Get(resource.StorageKey, key) ?? throw ApiException.NotFound(resource, key[(key.IndexOf('/') + 1)..]);
            var (next, isTracked) = change(stored, stored.Parse());
            // The version that was read is no precondition; another one, set by a patch, is.
            var metadata = next.Object("metadata");
            if (metadata.Text("resourceVersion") == stored.ResourceVersion.ToString()) metadata!.Remove("resourceVersion");
            if (await UpdateAsync(resource, stored, new ParsedBody(next, []), options, isTracked) is { } result) return result;
        }

        throw ApiException.Modified(resource, key[(key.IndexOf('/') + 1)..]);
    }

    /// <summary>Writes the next version of an object; null when someone else wrote first and the body named no version.</summary>
    public async Task<WriteResult?> UpdateAsync(ResourceDefinition resource, StoredObject stored, ParsedBody body, WriteOptions options, bool isTracked = false)
    {
        var old = stored.Parse();
        var next = Narrow(resource, old, body.Content, options.Subresource);
        var metadata = next.Ensure("metadata");
        CheckPreconditions(resource, stored, body.Content.Object("metadata"));
        MetadataRules.KeepServerFields(old.Object("metadata")!, metadata);
        metadata["resourceVersion"] = stored.ResourceVersion.ToString();
        ObjectDecoder.Decode(resource, next, old, body.Duplicates, options, time.GetUtcNow());
        List<FieldError> errors = [.. MetadataRules.Validate(resource, metadata), .. MetadataRules.ValidateUpdate(old.Object("metadata")!, metadata)];
        Require(resource, next, errors, old);
        if (resource.HasGeneration && DesiredStateDiffers(resource, old, next)) metadata["generation"] = (metadata.Integer("generation") ?? 0) + 1;
        if (!isTracked) ManagedFields.Update(old, next, resource.Types, options.FieldManager, "Update", resource.ApiVersion, options.Subresource, time.GetUtcNow());
        resource.Rules.Complete?.Invoke(next, old, time.GetUtcNow());
        if (ManagedFields.SameIgnoringTimes(old, next)) return WriteResult.Of(stored);
        if (options.IsDryRun) return new WriteResult(JsonBody.Serialize(next), null);

        var isLast = stored.IsDeleting && resource.Rules.HoldDeletion is null && (metadata.Array("finalizers")?.Count ?? 0) == 0 && (metadata.Integer("deletionGracePeriodSeconds") ?? 0) == 0;
        if (isLast)
        {
            var answer = JsonBody.Serialize(next);
            return await store.DeleteAsync(resource.StorageKey, stored, next) is null ? Retry(resource, stored, body) : new WriteResult(answer, null);
        }

        if (await store.ReplaceAsync(resource.StorageKey, stored, next) is not { } written) return Retry(resource, stored, body);
        if (Written is not null) await Written(resource, written);
        return WriteResult.Of(written);
    }

    private static WriteResult? Retry(ResourceDefinition resource, StoredObject stored, ParsedBody body) =>
        string.IsNullOrEmpty(body.Content.Object("metadata").Text("resourceVersion")) ? null : throw ApiException.Modified(resource, stored.Name);

    private async Task<WriteResult> StoreNewAsync(ResourceDefinition resource, JsonObject content, WriteOptions options)
    {
        var name = content.Object("metadata").Text("name")!;
        var ns = content.Object("metadata").Text("namespace");
        if (options.IsDryRun)
        {
            if (store.Get(resource.StorageKey, StoredObject.KeyOf(ns, name)) is not null) throw ApiException.AlreadyExists(resource, name);
            return new WriteResult(JsonBody.Serialize(content), null, true);
        }

        var stored = await store.CreateAsync(resource.StorageKey, content) ?? throw ApiException.AlreadyExists(resource, name);
        if (Written is not null) await Written(resource, stored);
        return WriteResult.Of(stored, created: true);
    }

    private JsonObject PrepareMetadata(ResourceDefinition resource, string? ns, JsonObject content)
    {
        var metadata = content.Ensure("metadata");
        if (metadata.Text("resourceVersion") is { Length: > 0 }) throw ApiException.BadRequest("resourceVersion should not be set on objects to be created");
        if (metadata.Text("namespace") is { Length: > 0 } named && named != (ns ?? ""))
            throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        foreach (var field in (string[])["resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields", "generation"]) metadata.Remove(field);
        if (ns is not null) metadata["namespace"] = ns;
        else metadata.Remove("namespace");
        if (string.IsNullOrEmpty(metadata.Text("name")) && metadata.Text("generateName") is { Length: > 0 } prefix) metadata["name"] = MetadataRules.Generate(prefix);
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Timestamp.Of(time.GetUtcNow());
        if (resource.HasGeneration) metadata["generation"] = 1;
        return metadata;
    }

    private void RequireNamespace(ResourceDefinition resource, string? ns, string name)
    {
        if (ns is null) return;
        var found = store.Get("/namespaces", ns)
            ?? throw new ApiException(404, "NotFound", $"namespaces \"{ns}\" not found", ApiException.Details(ns, "", "namespaces"));
        if (!found.IsDeleting) return;
        var details = ApiException.Details(name, resource.Group, resource.Plural);
        details["causes"] = new JsonArray(new JsonObject { ["reason"] = "NamespaceTerminating", ["message"] = $"namespace {ns} is being terminated", ["field"] = "metadata.namespace" });
        throw new ApiException(403, "Forbidden", $"{resource.QualifiedName} \"{name}\" is forbidden: unable to create new content in namespace {ns} because it is being terminated", details);
    }

    private static void DropStatus(ResourceDefinition resource, JsonObject content)
    {
        if (resource.HasStatus && !resource.Rules.KeepsStatusOnCreate) content.Remove("status");
    }

    // What an endpoint may not change is taken from the stored object.
    private static JsonObject Narrow(ResourceDefinition resource, JsonObject old, JsonObject sent, string? subresource)
    {
        if (subresource == "status")
        {
            var result = (JsonObject)old.DeepClone();
            if (sent["status"] is { } status) result["status"] = status.DeepClone();
            else result.Remove("status");
            if (sent.Object("metadata").Array("managedFields") is { } managed) result.Ensure("metadata")["managedFields"] = managed.DeepClone();
            return result;
        }

        var next = (JsonObject)sent.DeepClone();
        if (!resource.HasStatus) return next;
        if (old["status"] is { } kept) next["status"] = kept.DeepClone();
        else next.Remove("status");
        return next;
    }

    private static void CheckPreconditions(ResourceDefinition resource, StoredObject stored, JsonObject? sent)
    {
        if (sent.Text("name") is { Length: > 0 } name && name != stored.Name)
            throw ApiException.BadRequest($"the name of the object ({name}) does not match the name on the URL ({stored.Name})");
        if (sent.Text("namespace") is { Length: > 0 } ns && ns != stored.Namespace)
            throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        if (sent.Text("uid") is { Length: > 0 } uid && uid != stored.Uid)
        {
            var at = $"/registry/{(resource.Group.Length == 0 ? "" : resource.Group + "/")}{resource.Plural}/{stored.Key}";
            throw ApiException.Conflict(resource, stored.Name, $"StorageError: invalid object, Code: 4, Key: {at}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {stored.Uid}");
        }

        if (sent.Text("resourceVersion") is { Length: > 0 } version && version != stored.ResourceVersion.ToString()) throw ApiException.Modified(resource, stored.Name);
    }

    private static void Require(ResourceDefinition resource, JsonObject content, List<FieldError> errors, JsonObject? old)
    {
        if (resource.Schema is { } schema)
        {
            errors = [.. schema.Validate(content, old, errors, resource.Scale?.Check(content))];
        }
        else
        {
            errors.AddRange(resource.Rules.Validate?.Invoke(content) ?? []);
            if (old is not null) errors.AddRange(resource.Rules.ValidateUpdate?.Invoke(old, content) ?? []);
        }

        if (errors.Count > 0) throw ApiException.Invalid(resource, content.Object("metadata").Text("name") ?? "", errors);
    }

    private static bool DesiredStateDiffers(ResourceDefinition resource, JsonObject old, JsonObject next)
    {
        if (!resource.IsCustom) return !JsonNode.DeepEquals(old["spec"], next["spec"]);
        static bool Counts(string name) => name is not ("metadata" or "status" or "apiVersion" or "kind");
        return old.Any(p => Counts(p.Key) && !JsonNode.DeepEquals(p.Value, next[p.Key])) || next.Any(p => Counts(p.Key) && !old.ContainsKey(p.Key));
    }
}
