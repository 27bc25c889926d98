using System.Reflection;
using System.Text.Json.Nodes;
using Trestle.Api.Yaml;

namespace Trestle.Api.Schema;

/// <summary>One right: a verb on a resource.</summary>
/// <param name="Group">API group, "" for core.</param>
/// <param name="Resource">Plural, with the subresource behind a slash.</param>
/// <param name="Verb">As Kubernetes has them, e.g. list.</param>
/// <param name="InOwnNamespace">Only where the program runs.</param>
public sealed record RbacRight(string Group, string Resource, string Verb, bool InOwnNamespace);

/// <summary>[EntityRbac] of a program's types → the rules of its ClusterRole and its Role.</summary>
/// <param name="assemblies">What the program is made of.</param>
public sealed class RbacRules(params Assembly[] assemblies)
{
    // RBAC's own order of telling, from looking to removing.
    private static readonly string[] Verbs = ["get", "list", "watch", "create", "update", "patch", "delete"];

    /// <summary>Every right that is declared.</summary>
    public IReadOnlyList<RbacRight> Declared { get; } = [.. assemblies.SelectMany(Of).Distinct()];

    /// <summary>File name in charts/trestle/generated and text of each list of rules.</summary>
    /// <param name="prefix">What the program's files begin with, e.g. "bridge-".</param>
    public IEnumerable<(string FileName, string Yaml)> Files(string prefix = "") => [($"{prefix}cluster-rules.yaml", Text(inOwnNamespace: false)), ($"{prefix}namespace-rules.yaml", Text(inOwnNamespace: true))];

    private static IEnumerable<RbacRight> Of(Assembly assembly) =>
        from type in assembly.GetTypes()
        from rights in type.GetCustomAttributes<EntityRbacAttribute>()
        from resource in rights.Resources.Split(',')
        from verb in rights.Verbs.Split(',')
        select Array.IndexOf(Verbs, verb) >= 0
            ? new RbacRight(rights.ApiGroup, resource, verb, rights.InOwnNamespace)
            : throw new InvalidOperationException($"{type.Name}: '{verb}' is no verb; they are {string.Join(", ", Verbs)}");

    private string Text(bool inOwnNamespace) => YamlText.Write(new JsonArray([.. Rules(Declared.Where(right => right.InOwnNamespace == inOwnNamespace))]));

    // One rule for all resources of a group with the same verbs.
    private static IEnumerable<JsonObject> Rules(IEnumerable<RbacRight> rights) =>
        from resource in rights.GroupBy(right => (right.Group, right.Resource))
        let verbs = string.Join(',', resource.Select(right => right.Verb).OrderBy(verb => Array.IndexOf(Verbs, verb)))
        group resource.Key.Resource by (resource.Key.Group, verbs) into same
        let resources = same.Order(StringComparer.Ordinal).ToList()
        orderby same.Key.Group, resources[0]
        select new JsonObject { ["apiGroups"] = List([same.Key.Group]), ["resources"] = List(resources), ["verbs"] = List(same.Key.verbs.Split(',')) };

    private static JsonArray List(IEnumerable<string> items) => new([.. items.Select(item => (JsonNode)item)]);
}
