using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>Rules of the small core kinds.</summary>
internal static class CoreRules
{
    public static readonly KindRules PathNames = new() { AllowsPathNames = true };

    public static readonly KindRules ConfigMap = new() { Validate = DataRules.ConfigMap, ValidateUpdate = (old, next) => Immutable(old, next, "data", "binaryData") };

    public static readonly KindRules Secret = new()
    {
        Default = DefaultSecret,
        Validate = DataRules.Secret,
        ValidateUpdate = (old, next) =>
        [
            .. Immutable(old, next, "data", "type"),
            .. old.Text("type") == next.Text("type") ? [] : new[] { FieldError.Invalid("type", next.Text("type"), "field is immutable") },
        ],
    };

    public static readonly KindRules Event = new()
    {
        Complete = (content, _, _) =>
        {
            if (!content.ContainsKey("eventTime")) content["eventTime"] = null;
            content.Default("reportingComponent", "");
            content.Default("reportingInstance", "");
            content.Default("source", new JsonObject());
        },
        Validate = content =>
        {
            var ns = content.Object("metadata").Text("namespace");
            var about = content.Object("involvedObject").Text("namespace") ?? "";
            return about == ns || (about.Length == 0 && ns == "default") ? [] : [FieldError.Invalid("involvedObject.namespace", about, "does not match event.namespace")];
        },
    };

    public static readonly KindRules Namespace = new()
    {
        NameIsLabel = true,
        HoldDeletion = content =>
        {
            content.Ensure("status")["phase"] = "Terminating";
            return content.Object("spec").Array("finalizers") is { Count: > 0 };
        },
        Default = (content, _, _) =>
        {
            var metadata = content.Ensure("metadata");
            metadata.Ensure("labels")["kubernetes.io/metadata.name"] = metadata.Text("name");
        },
        Complete = (content, old, _) =>
        {
            if (old is null) content.Ensure("spec").Default("finalizers", new JsonArray("kubernetes"));
            content.Ensure("status").Default("phase", "Active");
        },
    };

    public static readonly KindRules Node = new()
    {
        KeepsStatusOnCreate = true,
        Default = (content, _, _) =>
        {
            content.Ensure("spec");
            var status = content.Ensure("status");
            if (status.Object("capacity") is { } capacity) status.Default("allocatable", capacity.DeepClone());
        },
    };

    public static readonly KindRules Claim = new()
    {
        ReturnsDeleted = true,
        Default = (content, old, _) =>
        {
            content.Ensure("spec").Default("volumeMode", "Filesystem");
            if (old is null) content.Ensure("status").Default("phase", "Pending");
        },
    };

    private static void DefaultSecret(JsonObject content, JsonObject? old, DateTimeOffset now)
    {
        content.Default("type", "Opaque");
        if (content.Object("stringData") is not { } plain) return;
        var data = content.Ensure("data");
        foreach (var (key, value) in plain) data[key] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(value.AsText() ?? ""));
        content.Remove("stringData");
    }

    private static IEnumerable<FieldError> Immutable(JsonObject old, JsonObject next, params string[] fields)
    {
        if (!old.Flag("immutable")) yield break;
        if (!next.Flag("immutable")) yield return FieldError.Forbidden("immutable", "field is immutable when `immutable` is set");
        foreach (var field in fields)
        {
            if (!JsonNode.DeepEquals(old[field], next[field])) yield return FieldError.Forbidden(field, "field is immutable when `immutable` is set");
        }
    }
}
