using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Trestle.Local.ApiServer;

/// <summary>/api, /apis and below: which kinds there are, in the old form and the aggregated one.</summary>
internal sealed class DiscoveryHandler(ResourceCatalog catalog, Func<string> address)
{
    private const string Aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

    // The order a real server lists its groups in; groups of custom resources follow.
    private static readonly string[] Order =
    [
        "apps", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch", "networking.k8s.io", "policy", "rbac.authorization.k8s.io",
        "storage.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
    ];

    /// <summary>Answers a discovery path; false when it is none.</summary>
    public async Task<bool> TryHandleAsync(HttpContext http, string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var answer = parts switch
        {
            ["api"] => WantsAggregated(http) ? AggregatedList([""]) : Versions(),
            ["apis"] => WantsAggregated(http) ? AggregatedList(Groups()) : GroupList(),
            ["api", "v1"] => Resources("", "v1"),
            ["apis", var group] => Groups().Contains(group) ? Group(group, true) : null,
            ["apis", var group, var version] => Groups().Contains(group) && VersionsOf(group).Contains(version) ? Resources(group, version) : null,
            _ => null,
        };
        if (answer is null) return false;
        var isAggregated = answer.Text("kind") == "APIGroupDiscoveryList";
        if (parts.Length == 1) http.Response.Headers.Vary = "Accept";
        await Answer.JsonAsync(http, 200, answer, isAggregated ? Aggregated : Answer.JsonType);
        return true;
    }

    /// <summary>All groups but the core one, in order.</summary>
    public IEnumerable<string> Groups() =>
        catalog.All.Select(r => r.Group).Concat(["authentication.k8s.io", "authorization.k8s.io"]).Where(g => g.Length > 0).Distinct()
            .OrderBy(g => Array.IndexOf(Order, g) is >= 0 and var i ? i : int.MaxValue).ThenBy(g => g, StringComparer.Ordinal);

    public IEnumerable<string> VersionsOf(string group)
    {
        var versions = catalog.All.Where(r => r.Group == group).Select(r => r.Version).Distinct().OrderDescending(StringComparer.Ordinal).ToArray();
        return versions.Length > 0 ? versions : ["v1"];
    }

    private static bool WantsAggregated(HttpContext http) =>
        http.Request.Headers.Accept.ToString().Split(',').Select(a => a.Split(';', StringSplitOptions.TrimEntries))
            .Any(a => a[0] == "application/json" && a.Contains("g=apidiscovery.k8s.io") && a.Contains("v=v2") && a.Contains("as=APIGroupDiscoveryList"));

    private JsonObject Versions() => new()
    {
        ["kind"] = "APIVersions",
        ["versions"] = new JsonArray("v1"),
        ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = address() }),
    };

    private JsonObject GroupList() => new()
    {
        ["kind"] = "APIGroupList",
        ["apiVersion"] = "v1",
        ["groups"] = new JsonArray([.. Groups().Select(g => (JsonNode)Group(g, false))]),
    };

    private JsonObject Group(string group, bool isWhole)
    {
        static JsonObject Version(string group, string version) => new() { ["groupVersion"] = group + "/" + version, ["version"] = version };
        var result = new JsonObject();
        if (isWhole)
        {
            result["kind"] = "APIGroup";
            result["apiVersion"] = "v1";
        }

        result["name"] = group;
        result["versions"] = new JsonArray([.. VersionsOf(group).Select(v => (JsonNode)Version(group, v))]);
        result["preferredVersion"] = Version(group, VersionsOf(group).First());
        return result;
    }

    private JsonObject Resources(string group, string version)
    {
        var list = new JsonObject { ["kind"] = "APIResourceList", ["groupVersion"] = group.Length == 0 ? version : group + "/" + version };
        if (group.Length > 0) list.Insert(1, "apiVersion", "v1");
        var resources = new JsonArray();
        foreach (var entry in DiscoveredResource.In(catalog, group, version))
        {
            resources.Add((JsonNode)entry.ToResource());
            foreach (var subresource in entry.Subresources) resources.Add((JsonNode)entry.ToResource(subresource));
        }

        list["resources"] = resources;
        return list;
    }

    private JsonObject AggregatedList(IEnumerable<string> groups) => new()
    {
        ["kind"] = "APIGroupDiscoveryList",
        ["apiVersion"] = "apidiscovery.k8s.io/v2",
        ["metadata"] = new JsonObject(),
        ["items"] = new JsonArray([.. groups.Select(g => (JsonNode)new JsonObject
        {
            ["metadata"] = g.Length == 0 ? [] : new JsonObject { ["name"] = g },
            ["versions"] = new JsonArray([.. VersionsOf(g).Select(v => (JsonNode)new JsonObject
            {
                ["version"] = v,
                ["resources"] = new JsonArray([.. DiscoveredResource.In(catalog, g, v).Select(r => (JsonNode)r.ToAggregated())]),
                ["freshness"] = "Current",
            })]),
        })]),
    };
}

/// <summary>One kind as discovery shows it.</summary>
internal sealed record DiscoveredResource(
    string Group, string Version, string Plural, string Singular, string Kind, bool IsNamespaced, IReadOnlyList<string> Verbs,
    IReadOnlyList<string> ShortNames, IReadOnlyList<string> Categories, IReadOnlyList<SubresourceDefinition> Subresources, bool IsStored, bool IsCustom)
{
    private static readonly string[] Changing = ["get", "patch", "update"];

    public static IEnumerable<DiscoveredResource> In(ResourceCatalog catalog, string group, string version)
    {
        var stored = catalog.All.Where(r => r.Group == group && r.Version == version).Select(Of);
        var reviews = ReviewHandler.All.Where(r => r.Group == group && version == "v1")
            .Select(r => new DiscoveredResource(group, version, r.Plural, r.Kind.ToLowerInvariant(), r.Kind, r.Kind.StartsWith("Local", StringComparison.Ordinal), ["create"], [], [], [], false, false));
        var bindings = group.Length == 0 ? [new DiscoveredResource("", "v1", "bindings", "binding", "Binding", true, ["create"], [], [], [], false, false)] : Array.Empty<DiscoveredResource>();
        return stored.Concat(reviews).Concat(bindings).OrderBy(r => r.Plural, StringComparer.Ordinal);
    }

    public JsonObject ToResource()
    {
        var result = new JsonObject { ["name"] = Plural, ["singularName"] = Singular, ["namespaced"] = IsNamespaced, ["kind"] = Kind, ["verbs"] = Texts(Verbs) };
        if (ShortNames.Count > 0) result["shortNames"] = Texts(ShortNames);
        if (Categories.Count > 0) result["categories"] = Texts(Categories);
        if (IsStored) result["storageVersionHash"] = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes($"{Group}/{Version}/{Kind}")).AsSpan(0, 8));
        return result;
    }

    public JsonObject ToResource(SubresourceDefinition subresource)
    {
        var result = new JsonObject { ["name"] = $"{Plural}/{subresource.Name}", ["singularName"] = "", ["namespaced"] = IsNamespaced };
        if (subresource.Group.Length > 0)
        {
            result["group"] = subresource.Group;
            result["version"] = subresource.Version;
        }

        result["kind"] = subresource.Kind;
        result["verbs"] = Texts(subresource.Verbs);
        return result;
    }

    public JsonObject ToAggregated()
    {
        var result = new JsonObject
        {
            ["resource"] = Plural,
            ["responseKind"] = KindOf(IsCustom ? Group : "", IsCustom ? Version : "", Kind),
            ["scope"] = IsNamespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = Singular,
            ["verbs"] = Texts(Verbs),
        };
        if (ShortNames.Count > 0) result["shortNames"] = Texts(ShortNames);
        if (Categories.Count > 0) result["categories"] = Texts(Categories);
        if (Subresources.Count == 0) return result;
        result["subresources"] = new JsonArray([.. Subresources.Select(s => (JsonNode)new JsonObject
        {
            ["subresource"] = s.Name,
            ["responseKind"] = s.Group.Length == 0 && IsCustom ? KindOf(Group, Version, s.Kind) : KindOf(s.Group, s.Version, s.Kind),
            ["verbs"] = Texts(s.Verbs),
        })]);
        return result;
    }

    private static DiscoveredResource Of(ResourceDefinition resource)
    {
        var subresources = resource.Subresources.ToList();
        if (resource.HasStatus) subresources.Add(new SubresourceDefinition("status", resource.Kind, Changing));
        if (resource.Scale is not null) subresources.Add(new SubresourceDefinition("scale", "Scale", Changing, "autoscaling", "v1"));
        return new DiscoveredResource(resource.Group, resource.Version, resource.Plural, resource.Singular, resource.Kind, resource.IsNamespaced, resource.Verbs, resource.ShortNames,
            resource.Categories, resource.IsCustom ? subresources : [.. subresources.OrderBy(s => s.Name, StringComparer.Ordinal)], true, resource.IsCustom);
    }

    private static JsonObject KindOf(string group, string version, string kind) => new() { ["group"] = group, ["version"] = version, ["kind"] = kind };

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode?)t)]);
}
