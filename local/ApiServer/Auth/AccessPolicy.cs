using System.Text.Json;
using System.Text.Json.Nodes;

namespace Trestle.Local.ApiServer;

/// <summary>One question: may this user do this?</summary>
internal sealed record AccessQuestion(string User, IReadOnlyList<string> Groups, string Verb, string Group, string Resource, string? Namespace, string? Name);

/// <summary>
/// Who may do what. Without a policy file every authenticated user may do everything. With one, the admin and service
/// accounts still may, and others only what a rule of <c>{"rules": [{users, groups, verbs, apiGroups, resources, namespaces}]}</c>
/// allows; a list that is left out, or holds <c>*</c>, matches everything. The file is read again when it changes.
/// </summary>
internal sealed class AccessPolicy(string? path)
{
    private readonly Lock _lock = new();
    private JsonArray _rules = [];
    private DateTime _readAt;

    public bool Allows(AccessQuestion question)
    {
        if (question.User == User.Anonymous.Name) return false;
        if (path is null || question.Groups.Contains("system:masters") || question.Groups.Contains("system:serviceaccounts")) return true;
        return Rules().OfType<JsonObject>().Any(rule => Matches(rule, question));
    }

    public bool Allows(User user, AccessQuestion question) =>
        Allows(question with { User = user.Name, Groups = user.Groups });

    private static bool Matches(JsonObject rule, AccessQuestion question)
    {
        var who = rule.ContainsKey("users") || rule.ContainsKey("groups");
        var isSubject = !who || (rule.Array("users") is not null && Has(rule, "users", question.User)) || (rule.Array("groups") is not null && question.Groups.Any(g => Has(rule, "groups", g)));
        return isSubject && Has(rule, "verbs", question.Verb) && Has(rule, "apiGroups", question.Group)
            && Has(rule, "resources", question.Resource) && Has(rule, "namespaces", question.Namespace ?? "");
    }

    private static bool Has(JsonObject rule, string list, string value) =>
        rule.Array(list) is not { } values || values.Any(v => v.AsText() is { } text && (text == "*" || text == value));

    private JsonArray Rules()
    {
        lock (_lock)
        {
            var changed = File.GetLastWriteTimeUtc(path!);
            if (changed == _readAt) return _rules;
            try
            {
                _rules = JsonBody.ParseObject(File.ReadAllBytes(path!)).Array("rules") ?? [];
            }
            catch (Exception e) when (e is IOException or JsonException)
            {
                throw new ApiException(500, "InternalError", $"the policy file can't be read: {e.Message}");
            }

            _readAt = changed;
            return _rules;
        }
    }
}
