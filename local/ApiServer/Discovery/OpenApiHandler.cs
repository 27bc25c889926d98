using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Trestle.Local.ApiServer;

/// <summary>
/// OpenAPI v3: the whole schema of custom resources, and of built-in kinds what clients need to know before they
/// apply: that the kind is there, and that its patches take <c>fieldValidation</c> and <c>dryRun</c>.
/// </summary>
internal sealed class OpenApiHandler(ResourceCatalog catalog, ObjectStore store)
{
    public async Task<bool> TryHandleAsync(HttpContext http, string path)
    {
        if (path == "/openapi/v3")
        {
            await Answer.JsonAsync(http, 200, Index());
            return true;
        }

        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var document = parts switch
        {
            ["openapi", "v3", "api", var version] => Document("", version),
            ["openapi", "v3", "apis", var group, var version] => Document(group, version),
            _ => null,
        };
        if (document is null) return false;
        var hash = http.Request.Query["hash"].ToString();
        if (hash.Length > 0) http.Response.Headers.ETag = $"\"{hash}\"";
        await Answer.JsonAsync(http, 200, document);
        return true;
    }

    private JsonObject Index()
    {
        var paths = new JsonObject();
        foreach (var (group, version) in catalog.All.Select(r => (r.Group, r.Version)).Distinct().OrderBy(g => g.Group, StringComparer.Ordinal))
        {
            var at = group.Length == 0 ? "api/" + version : $"apis/{group}/{version}";
            var hash = Convert.ToHexString(SHA512.HashData(JsonBody.Serialize(Document(group, version)!)));
            paths[at] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{at}?hash={hash}" };
        }

        return new JsonObject { ["paths"] = paths };
    }

    private JsonObject? Document(string group, string version)
    {
        var resources = catalog.All.Where(r => r.Group == group && r.Version == version).OrderBy(r => r.Plural, StringComparer.Ordinal).ToArray();
        if (resources.Length == 0) return null;
        var paths = new JsonObject();
        var schemas = new JsonObject
        {
            ["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"] = Described("object", "ObjectMeta is metadata that all persisted resources must have, which includes all objects users must create."),
            ["io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"] = Described("object", "ListMeta describes metadata that synthetic resources must have, including lists and various status objects."),
        };
        foreach (var resource in resources)
        {
            schemas[SchemaName(resource)] = Schema(resource);
            AddPaths(paths, resource);
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes CRD Swagger", ["version"] = "v0.1.0" },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas },
        };
    }

    private JsonObject Schema(ResourceDefinition resource)
    {
        var crd = resource.IsCustom ? store.Get("apiextensions.k8s.io/customresourcedefinitions", resource.QualifiedName) : null;
        var schema = (JsonObject?)(crd is null ? null : CrdRules.OpenApiOf(crd.Parse()))?.DeepClone()
            ?? new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
        var properties = schema.Ensure("properties");
        properties["apiVersion"] = Described("string", "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources");
        properties["kind"] = Described("string", "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds");
        properties["metadata"] = new JsonObject
        {
            ["description"] = "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
            ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }),
        };
        schema["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(resource));
        return schema;
    }

    private static void AddPaths(JsonObject paths, ResourceDefinition resource)
    {
        var root = (resource.Group.Length == 0 ? "/api/" : "/apis/") + resource.ApiVersion;
        var collection = root + (resource.IsNamespaced ? "/namespaces/{namespace}/" : "/") + resource.Plural;
        paths[collection] = new JsonObject { ["get"] = Operation(resource, "list"), ["post"] = Operation(resource, "post"), ["delete"] = Operation(resource, "deletecollection") };
        paths[collection + "/{name}"] = new JsonObject
        {
            ["get"] = Operation(resource, "get"),
            ["put"] = Operation(resource, "put"),
            ["delete"] = Operation(resource, "delete"),
            ["patch"] = Operation(resource, "patch"),
        };
        if (resource.HasStatus)
            paths[collection + "/{name}/status"] = new JsonObject { ["get"] = Operation(resource, "get"), ["put"] = Operation(resource, "put"), ["patch"] = Operation(resource, "patch") };
        if (resource.IsNamespaced) paths[root + "/" + resource.Plural] = new JsonObject { ["get"] = Operation(resource, "list") };
    }

    private static JsonObject Operation(ResourceDefinition resource, string action)
    {
        var content = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/" + SchemaName(resource) } } };
        var operation = new JsonObject { ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK", ["content"] = content } } };
        if (action is "post" or "put" or "patch")
            operation["parameters"] = new JsonArray([.. new[] { "dryRun", "fieldManager", "fieldValidation" }.Select(n => (JsonNode)new JsonObject
            {
                ["name"] = n, ["in"] = "query", ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
            })]);
        operation["x-kubernetes-action"] = action;
        operation["x-kubernetes-group-version-kind"] = GroupVersionKind(resource);
        return operation;
    }

    private static string SchemaName(ResourceDefinition resource)
    {
        var group = resource.Group.Length == 0 ? "io.k8s.api.core" : string.Join('.', resource.Group.Split('.').Reverse());
        return $"{group}.{resource.Version}.{resource.Kind}";
    }

    private static JsonObject GroupVersionKind(ResourceDefinition resource) => new() { ["group"] = resource.Group, ["kind"] = resource.Kind, ["version"] = resource.Version };

    private static JsonObject Described(string type, string description) => new() { ["type"] = type, ["description"] = description };
}
