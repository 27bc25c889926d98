using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Trestle.Local.ApiMachinery;

namespace Trestle.Local.ApiServer;

/// <summary>Names, labels, annotations and the fields of metadata only the server sets.</summary>
internal static partial class MetadataRules
{
    private const string Subdomain = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
    private const string SubdomainMessage =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '" + Subdomain + "')";
    private const string LabelMessage =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    private const string LabelValueMessage =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    private const string QualifiedNameMessage =
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    private const int MaxAnnotations = 256 << 10;

    private static readonly string[] ServerFields = ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink"];

    public static IEnumerable<FieldError> Validate(ResourceDefinition resource, JsonObject metadata)
    {
        var name = metadata.Text("name") ?? "";
        if (name.Length == 0) yield return FieldError.Required("metadata.name", "name or generateName is required");
        else if (NameProblem(resource, name) is { } problem) yield return FieldError.Invalid("metadata.name", name, problem);
        foreach (var error in ValidateLabels(metadata["labels"], "metadata.labels")) yield return error;
        foreach (var error in ValidateAnnotations(metadata["annotations"])) yield return error;
        foreach (var error in ValidateOwners(metadata.Array("ownerReferences"))) yield return error;
        var finalizers = metadata.Array("finalizers") ?? [];
        for (var i = 0; i < finalizers.Count; i++)
        {
            if (finalizers[i].AsText() is not { Length: > 0 } finalizer || !QualifiedName().IsMatch(finalizer))
                yield return FieldError.Invalid("metadata.finalizers", finalizers[i], QualifiedNameMessage);
        }
    }

    /// <summary>Keeps what only the server may set, from the stored object.</summary>
    public static void KeepServerFields(JsonObject old, JsonObject next)
    {
        foreach (var field in ServerFields)
        {
            if (old[field] is { } value) next[field] = value.DeepClone();
            else next.Remove(field);
        }

        next["name"] = old["name"]?.DeepClone();
        if (old["namespace"] is { } ns) next["namespace"] = ns.DeepClone();
        else next.Remove("namespace");
    }

    public static IEnumerable<FieldError> ValidateUpdate(JsonObject old, JsonObject next)
    {
        if (old["deletionTimestamp"] is null) yield break;
        var before = (old.Array("finalizers") ?? []).Select(f => f.AsText()).ToHashSet();
        var added = (next.Array("finalizers") ?? []).Select(f => f.AsText() ?? "").Where(f => !before.Contains(f)).ToArray();
        if (added.Length == 0) yield break;
        var error = FieldError.Forbidden("metadata.finalizers",
            $"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{string.Join(", ", added.Select(FieldError.Quote))}}}");
        yield return error;
        yield return error; // a real server finds it twice
    }

    /// <summary>The name a <c>generateName</c> becomes.</summary>
    public static string Generate(string prefix)
    {
        const string alphabet = "bcdfghjklmnpqrstvwxz2456789";
        return (prefix.Length > 58 ? prefix[..58] : prefix) + string.Create(5, 0, (span, _) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = alphabet[Random.Shared.Next(alphabet.Length)];
        });
    }

    public static IEnumerable<FieldError> ValidateLabels(JsonNode? labels, string field)
    {
        if (labels is null) yield break;
        if (labels is not JsonObject map)
        {
            yield return FieldError.Invalid(field, labels, "must be a map of strings");
            yield break;
        }

        foreach (var (key, value) in map)
        {
            if (!IsQualifiedName(key)) yield return FieldError.Invalid(field, key, QualifiedNameMessage);
            if (value.AsText() is not { } text) yield return FieldError.Invalid(field, value, "must be a string");
            else if (text.Length > 63) yield return FieldError.Invalid(field, text, "must be no more than 63 bytes");
            else if (!LabelValue().IsMatch(text)) yield return FieldError.Invalid(field, text, LabelValueMessage);
        }
    }

    private static string? NameProblem(ResourceDefinition resource, string name)
    {
        if (resource.Rules.AllowsPathNames) return name is "." or ".." || name.AsSpan().IndexOfAny('/', '%') >= 0 ? "may not be '.' or '..' or contain '/' or '%'" : null;
        if (resource.Rules.NameIsLabel) return name.Length > 63 ? "must be no more than 63 bytes" : Label().IsMatch(name) ? null : LabelMessage;
        if (name.Length > 253) return "must be no more than 253 bytes";
        return SubdomainPattern().IsMatch(name) ? null : SubdomainMessage;
    }

    private static IEnumerable<FieldError> ValidateAnnotations(JsonNode? annotations)
    {
        if (annotations is null) yield break;
        if (annotations is not JsonObject map)
        {
            yield return FieldError.Invalid("metadata.annotations", annotations, "must be a map of strings");
            yield break;
        }

        var size = 0;
        foreach (var (key, value) in map)
        {
            if (!IsQualifiedName(key.ToLowerInvariant())) yield return FieldError.Invalid("metadata.annotations", key, QualifiedNameMessage);
            if (value.AsText() is not { } text) yield return FieldError.Invalid("metadata.annotations", value, "must be a string");
            else size += key.Length + text.Length;
        }

        if (size > MaxAnnotations) yield return new FieldError(FieldErrorType.TooLong, "metadata.annotations", null, $"may not be more than {MaxAnnotations} bytes");
    }

    private static IEnumerable<FieldError> ValidateOwners(JsonArray? owners)
    {
        for (var i = 0; i < (owners?.Count ?? 0); i++)
        {
            var owner = owners![i] as JsonObject;
            foreach (var field in new[] { "apiVersion", "kind", "name", "uid" })
            {
                if (string.IsNullOrEmpty(owner.Text(field))) yield return FieldError.Invalid($"metadata.ownerReferences[{i}].{field}", "", "must not be empty");
            }
        }
    }

    private static bool IsQualifiedName(string key)
    {
        var slash = key.IndexOf('/');
        if (slash < 0) return key.Length <= 63 && QualifiedName().IsMatch(key);
        return slash <= 253 && SubdomainPattern().IsMatch(key[..slash]) && key.Length - slash - 1 <= 63 && QualifiedName().IsMatch(key[(slash + 1)..]);
    }

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?\\z", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Label();

    [GeneratedRegex("^" + Subdomain + "\\z", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex SubdomainPattern();

    [GeneratedRegex("^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\\z", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex LabelValue();

    [GeneratedRegex("^([A-Za-z0-9][-A-Za-z0-9_./]*)?[A-Za-z0-9]\\z", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex QualifiedName();
}
