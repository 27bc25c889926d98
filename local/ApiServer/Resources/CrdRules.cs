using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>CustomResourceDefinitions: checked when written, and turned into a served resource.</summary>
internal static class CrdRules
{
    public static readonly KindRules All = new() { Default = Default, Complete = Complete, Validate = Validate };

    /// <summary>The resource a stored definition serves, or null while it is being deleted.</summary>
    public static ResourceDefinition? ToResource(JsonObject content)
    {
        var spec = content.Object("spec");
        var names = spec.Object("names");
        var version = ServedVersion(spec);
        if (version?.Object("schema").Object("openAPIV3Schema") is not { } openApi) return null;
        var schema = StructuralSchema.FromCrd(openApi);
        var subresources = version.Object("subresources");
        var scale = subresources.Object("scale");
        var custom = version.Array("additionalPrinterColumns")?.OfType<JsonObject>().Select(CustomColumns.From).ToArray();
        return new ResourceDefinition
        {
            Group = spec.Text("group")!,
            Version = version.Text("name")!,
            Plural = names.Text("plural")!,
            Singular = names.Text("singular")!,
            Kind = names.Text("kind")!,
            ListKind = names.Text("listKind")!,
            IsNamespaced = spec.Text("scope") == "Namespaced",
            ShortNames = Texts(names.Array("shortNames")),
            Categories = Texts(names.Array("categories")),
            Verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
            HasStatus = subresources.Object("status") is not null,
            HasGeneration = true,
            Scale = scale is null ? null : new ScalePaths(scale.Text("specReplicasPath")!, scale.Text("statusReplicasPath")!, scale.Text("labelSelectorPath")),
            Schema = schema,
            Types = schema.Type,
            Columns = [Columns.Name, .. custom ?? [CustomColumns.From(new JsonObject { ["name"] = "Age", ["type"] = "date", ["jsonPath"] = ".metadata.creationTimestamp" })]],
            SelectableFields = ResourceDefinition.Selectable([.. (version.Array("selectableFields") ?? []).OfType<JsonObject>().Select(f => (f.Text("jsonPath") ?? "").TrimStart('.'))]),
        };
    }

    /// <summary>The schema of the served version, as the client wrote it.</summary>
    public static JsonObject? OpenApiOf(JsonObject content) => ServedVersion(content.Object("spec")).Object("schema").Object("openAPIV3Schema");

    private static JsonObject? ServedVersion(JsonObject? spec) => (spec.Array("versions") ?? []).OfType<JsonObject>().FirstOrDefault(v => v.Flag("served"));

    private static string[] Texts(JsonArray? list) => [.. (list ?? []).Select(s => s.AsText() ?? "")];

    private static void Default(JsonObject content, JsonObject? old, DateTimeOffset now)
    {
        var spec = content.Ensure("spec");
        var names = spec.Ensure("names");
        names.Default("singular", names.Text("kind")?.ToLowerInvariant());
        names.Default("listKind", names.Text("kind") + "List");
        spec.Ensure("conversion").Default("strategy", "None");
    }

    private static void Complete(JsonObject content, JsonObject? old, DateTimeOffset now)
    {
        var status = content.Ensure("status");
        if (!status.ContainsKey("conditions")) status["conditions"] = null;
        status.Default("acceptedNames", new JsonObject { ["plural"] = "", ["kind"] = "" });
        var stored = (content.Object("spec").Array("versions") ?? []).OfType<JsonObject>().Where(v => v.Flag("storage")).Select(v => (JsonNode?)v.Text("name"));
        status.Default("storedVersions", new JsonArray([.. stored]));
    }

    /// <summary>Writes into the status that the names are accepted and the kind is served.</summary>
    public static void Accept(JsonObject content, DateTimeOffset now)
    {
        var status = content.Ensure("status");
        if (status.Array("conditions") is null)
        {
            status["conditions"] = new JsonArray(
                Condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
                Condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now));
        }

        status["acceptedNames"] = content.Object("spec").Object("names")?.DeepClone();
    }

    private static JsonObject Condition(string type, string reason, string message, DateTimeOffset now) => new()
    {
        ["type"] = type,
        ["status"] = "True",
        ["lastTransitionTime"] = Timestamp.Of(now),
        ["reason"] = reason,
        ["message"] = message,
    };

    private static IEnumerable<FieldError> Validate(JsonObject content)
    {
        var spec = content.Object("spec");
        var names = spec.Object("names");
        if (string.IsNullOrEmpty(spec.Text("group"))) yield return FieldError.Required("spec.group");
        if (spec.Text("scope") is not ("Namespaced" or "Cluster") and var scope) yield return FieldError.NotSupported("spec.scope", scope ?? "", ["Cluster", "Namespaced"]);
        foreach (var field in (string[])["plural", "kind"])
        {
            if (string.IsNullOrEmpty(names.Text(field))) yield return FieldError.Required("spec.names." + field);
        }

        var name = content.Object("metadata").Text("name");
        if (name != names.Text("plural") + "." + spec.Text("group")) yield return FieldError.Invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group");
        var versions = (spec.Array("versions") ?? []).OfType<JsonObject>().ToArray();
        if (versions.Length == 0) yield return FieldError.Required("spec.versions");
        if (versions.Count(v => v.Flag("storage")) != 1 && versions.Length > 0) yield return FieldError.Invalid("spec.versions", versions.Length, "must have exactly one version marked as storage version");
        if (versions.Count(v => v.Flag("served")) > 1) yield return FieldError.Forbidden("spec.versions", "the one-machine API server serves one version of a kind; use a real Kubernetes for several");
        if (spec.Object("conversion").Text("strategy") is not "None" and var strategy) yield return FieldError.NotSupported("spec.conversion.strategy", strategy ?? "", ["None"]);
        foreach (var error in ValidateSchemas(versions)) yield return error;
    }

    private static IEnumerable<FieldError> ValidateSchemas(JsonObject[] versions)
    {
        for (var i = 0; i < versions.Length; i++)
        {
            var path = versions.Length == 1 ? StructuralSchema.DefaultPath : $"spec.versions[{i}].schema.openAPIV3Schema";
            if (versions[i].Object("schema").Object("openAPIV3Schema") is not { } openApi) yield return FieldError.Required($"spec.versions[{i}].schema.openAPIV3Schema", "schemas are required");
            else
            {
                foreach (var error in Compile(openApi, path)) yield return error;
            }
        }
    }

    private static IEnumerable<FieldError> Compile(JsonObject openApi, string path)
    {
        try
        {
            StructuralSchema.FromCrd(openApi, path);
            return [];
        }
        catch (SchemaException e)
        {
            return e.Errors;
        }
    }
}
