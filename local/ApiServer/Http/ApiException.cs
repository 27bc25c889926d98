using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>An answer other than success, as a Kubernetes <c>Status</c>.</summary>
internal sealed class ApiException(int code, string? reason, string message, JsonObject? details = null) : Exception(message)
{
    public int Code => code;
    public string? Reason => reason;

    public JsonObject ToStatus()
    {
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = Message,
        };
        if (reason is not null) status["reason"] = reason;
        if (details is not null) status["details"] = details.DeepClone();
        status["code"] = code;
        return status;
    }

    public static ApiException BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiException NotFound(ResourceDefinition resource, string name) =>
        new(404, "NotFound", $"{resource.QualifiedName} \"{name}\" not found", Details(name, resource.Group, resource.Plural));

    public static ApiException AlreadyExists(ResourceDefinition resource, string name) =>
        new(409, "AlreadyExists", $"{resource.QualifiedName} \"{name}\" already exists", Details(name, resource.Group, resource.Plural));

    public static ApiException Modified(ResourceDefinition resource, string name) =>
        Conflict(resource, name, "the object has been modified; please apply your changes to the latest version and try again");

    public static ApiException Conflict(ResourceDefinition resource, string name, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {resource.QualifiedName} \"{name}\": {why}", Details(name, resource.Group, resource.Plural));

    public static ApiException Forbidden(ResourceDefinition resource, string name, string why) =>
        new(403, "Forbidden", $"{resource.QualifiedName}{(name.Length > 0 ? $" \"{name}\"" : "")} is forbidden: {why}", Details(name, resource.Group, resource.Plural));

    public static ApiException MethodNotAllowed() => new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", []);

    public static ApiException NotImplemented(string what) =>
        new(501, "NotImplemented", $"{what} is not part of the one-machine API server; use a real Kubernetes for it");

    public static ApiException UnsupportedMedia(params string[] accepted) =>
        new(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: " + string.Join(", ", accepted));

    public static ApiException TooLarge(int limit) =>
        new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {limit}");

    public static ApiException Expired(string message) => new(410, "Expired", message);

    public static ApiException Invalid(string group, string kind, string name, IReadOnlyCollection<FieldError> errors)
    {
        var details = Details(name, group, kind);
        details["causes"] = new JsonArray([.. errors.Select(e => (JsonNode)new JsonObject { ["reason"] = e.Reason, ["message"] = e.Body, ["field"] = e.Field })]);
        var qualified = group.Length == 0 ? kind : kind + "." + group;
        return new ApiException(422, "Invalid", $"{qualified} \"{name}\" is invalid: {FieldError.Join(errors)}", details);
    }

    public static ApiException Invalid(ResourceDefinition resource, string name, IReadOnlyCollection<FieldError> errors) =>
        Invalid(resource.Group, resource.Kind, name, errors);

    public static ApiException From(PatchException e) => e.StatusCode switch
    {
        422 => new ApiException(422, "Invalid", e.Message, []),
        400 => BadRequest(e.Message),
        413 => new ApiException(413, "RequestEntityTooLarge", e.Message),
        _ => new ApiException(e.StatusCode, null, e.Message),
    };

    public static JsonObject Details(string name, string group, string kind)
    {
        var details = new JsonObject();
        if (name.Length > 0) details["name"] = name;
        if (group.Length > 0) details["group"] = group;
        details["kind"] = kind;
        return details;
    }
}
