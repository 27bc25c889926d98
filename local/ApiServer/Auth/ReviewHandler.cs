using System.Text.Json.Nodes;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>Questions about access and identity: they are answered, never stored.</summary>
internal sealed class ReviewHandler(Authenticator authenticator, AccessPolicy policy, TimeProvider time)
{
    private static readonly Dictionary<string, string> Kinds = new(StringComparer.Ordinal)
    {
        ["authorization.k8s.io/selfsubjectaccessreviews"] = "SelfSubjectAccessReview",
        ["authorization.k8s.io/subjectaccessreviews"] = "SubjectAccessReview",
        ["authorization.k8s.io/localsubjectaccessreviews"] = "LocalSubjectAccessReview",
        ["authorization.k8s.io/selfsubjectrulesreviews"] = "SelfSubjectRulesReview",
        ["authentication.k8s.io/selfsubjectreviews"] = "SelfSubjectReview",
        ["authentication.k8s.io/tokenreviews"] = "TokenReview",
    };

    // The spec of a review is part of its struct, so nobody owns it as a whole.
    private static readonly TypeSchema ReviewType = new()
    {
        Kind = NodeKind.Map,
        Fields = new Dictionary<string, TypeSchema>(StringComparer.Ordinal) { ["spec"] = TypeSchema.Deduced, ["metadata"] = TypeSchema.Deduced },
        Element = TypeSchema.Deduced,
        AlwaysPresent = new HashSet<string>(StringComparer.Ordinal) { "spec" },
    };

    public static IEnumerable<(string Group, string Plural, string Kind)> All =>
        Kinds.Select(k => (k.Key[..k.Key.IndexOf('/')], k.Key[(k.Key.IndexOf('/') + 1)..], k.Value));

    public static bool Serves(string group, string version) => version == "v1" && group is ("authorization.k8s.io" or "authentication.k8s.io");

    public static bool Handles(RequestPath path) => path.Version == "v1" && Kinds.ContainsKey(path.Group + "/" + path.Plural);

    public async Task HandleAsync(ApiRequest request)
    {
        if (request.Http.Request.Method != "POST") throw ApiException.MethodNotAllowed();
        var kind = Kinds[request.Path.Group + "/" + request.Path.Plural];
        var content = (await request.ReadObjectAsync(kind)).Content;
        content["kind"] = kind;
        content["apiVersion"] = request.Path.Group + "/v1";
        var metadata = content.Ensure("metadata");
        content["status"] = kind switch
        {
            "SelfSubjectAccessReview" => Access(content.Object("spec"), request.User),
            "SubjectAccessReview" or "LocalSubjectAccessReview" => Access(content.Object("spec"), Subject(content.Object("spec"))),
            "SelfSubjectRulesReview" => Rules(request.User),
            "SelfSubjectReview" => new JsonObject { ["userInfo"] = Describe(request.User) },
            _ => Identify(content.Object("spec")),
        };
        if (kind == "SelfSubjectReview") metadata["creationTimestamp"] = Timestamp.Of(time.GetUtcNow());
        else Track(request, content);
        await Answer.JsonAsync(request.Http, 201, content);
    }

    private void Track(ApiRequest request, JsonObject content)
    {
        var asked = (JsonObject)content.DeepClone();
        asked.Remove("status");
        ManagedFields.Update(null, asked, ReviewType, request.FieldManager, "Update", request.Path.Group + "/v1", null, time.GetUtcNow());
        content.Ensure("metadata")["managedFields"] = asked.Object("metadata")?["managedFields"]?.DeepClone();
    }

    private JsonObject Access(JsonObject? spec, User user)
    {
        var resource = spec.Object("resourceAttributes");
        var path = spec.Object("nonResourceAttributes");
        if (resource is null && path is null)
            throw ApiException.Invalid("authorization.k8s.io", "SubjectAccessReview", "", [FieldError.Invalid("spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified")]);
        var question = resource is null
            ? new AccessQuestion("", [], path.Text("verb") ?? "", "", path.Text("path") ?? "", null, null)
            : new AccessQuestion("", [], resource.Text("verb") ?? "", resource.Text("group") ?? "", resource.Text("resource") ?? "", resource.Text("namespace"), resource.Text("name"));
        return new JsonObject { ["allowed"] = policy.Allows(user, question) };
    }

    private static User Subject(JsonObject? spec) =>
        new(spec.Text("user") ?? "", spec.Text("uid"), [.. (spec.Array("groups") ?? []).Select(g => g.AsText() ?? "")]);

    private static JsonObject Rules(User user)
    {
        var everything = new JsonObject { ["verbs"] = new JsonArray("*"), ["apiGroups"] = new JsonArray("*"), ["resources"] = new JsonArray("*") };
        var all = user.Groups.Contains("system:masters") || user.Groups.Contains("system:serviceaccounts");
        return new JsonObject { ["resourceRules"] = all ? new JsonArray(everything) : [], ["nonResourceRules"] = new JsonArray(), ["incomplete"] = !all };
    }

    private JsonObject Identify(JsonObject? spec)
    {
        IReadOnlyList<string> audiences = spec.Array("audiences") is { Count: > 0 } asked ? [.. asked.Select(one => one.AsText()).OfType<string>()] : [ServiceAccountTokens.Audience];
        if (authenticator.Identify(spec.Text("token") ?? "", audiences) is not var (user, meant)) return new JsonObject { ["authenticated"] = false, ["error"] = "the token is not known to this server or has expired", ["user"] = new JsonObject() };
        return new JsonObject { ["authenticated"] = true, ["user"] = Describe(user), ["audiences"] = new JsonArray([.. meant.Select(one => (JsonNode?)one)]) };
    }

    private static JsonObject Describe(User user)
    {
        var info = new JsonObject { ["username"] = user.Name };
        if (user.Uid is not null) info["uid"] = user.Uid;
        info["groups"] = new JsonArray([.. user.Groups.Select(g => (JsonNode?)g)]);
        if (user.Extra.Count > 0) info["extra"] = new JsonObject(user.Extra.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)new JsonArray(e.Value))));
        return info;
    }
}
