using System.Reflection;
using System.Text.Json.Nodes;
using Trestle.Api.Schema;
using Trestle.Api.V1Alpha1;
using Trestle.Api.Yaml;

namespace Trestle.Operator.Rbac;

/// <summary>[EntityRbac] of the kinds and of the operator's types → the rules of its ClusterRole and its Role.</summary>
internal static class RbacRules
{
    // RBAC's own order of telling, from looking to removing.
    private static readonly string[] Verbs = ["get", "list", "watch", "create", "update", "patch", "delete"];

    /// <summary>Every right that is declared.</summary>
    public static IReadOnlyList<RbacRight> Declared { get; } = [.. new[] { typeof(TrainingJob).Assembly, typeof(RbacRules).Assembly }.SelectMany(Of).Distinct()];

    /// <summary>File name in charts/trestle/generated and text of each list of rules.</summary>
    public static IEnumerable<(string FileName, string Yaml)> Files() => [("cluster-rules.yaml", Text(inOwnNamespace: false)), ("namespace-rules.yaml", Text(inOwnNamespace: true))];

    private static IEnumerable<RbacRight> Of(Assembly assembly) =>
        from type in assembly.GetTypes()
        from rights in type.GetCustomAttributes<EntityRbacAttribute>()
        from resource in rights.Resources.Split(',')
        from verb in rights.Verbs.Split(',')
        select Array.IndexOf(Verbs, verb) >= 0
            ? new RbacRight(rights.ApiGroup, resource, verb, rights.InOwnNamespace)
            : throw new InvalidOperationException($"{type.Name}: '{verb}' is no verb; they are {string.Join(", ", Verbs)}");

    private static string Text(bool inOwnNamespace) => YamlText.Write(new JsonArray([.. Rules(Declared.Where(right => right.InOwnNamespace == inOwnNamespace))]));

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
